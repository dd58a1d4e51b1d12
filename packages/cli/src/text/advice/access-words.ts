import {given, onlyReads, type Setting, type Words} from './words.js'

/** Credentials, rights, TLS and proxies. */
export const accessWords = {
  'log-in': ({sided}) =>
    `${given(sided('username'), (username) => `Give ${username} with ${sided('password-stdin')} or ${sided('docker-config')} FILE, or `) || 'First '}log in with "mirror login".`,
  'check-credential': 'Check the user name and the password or token, or log in again.',
  'login-not-redirected': ({side}, {host}) =>
    `No login is sent to ${host}: ${side === 'source' ? 'name the image at that host itself' : 'name that host itself'}, or let the registry serve its content without a redirect.`,
  'use-https-realm': "Correct the realm in the registry's configuration to an https address.",
  'use-password': 'Log in to this registry with a user name and a password.',
  'check-rights': ({side, command}) =>
    side === 'source' || onlyReads(command)
      ? 'Check that the account has the right to pull from there.'
      : 'Check that the account has the right to push there, and that the project exists: Harbor and GitLab refuse both alike.',
  'check-deletion-right': 'Check that the account has the right to delete there.',
  'correct-credential-file': 'Correct the file, or log in again so that it is written again.',
  'check-token-server': (_setting, {host}) =>
    `Check that ${host} is the token server, and that no proxy answers in its place.`,
  'run-helper': (_setting, {program, server}) =>
    `Run "echo ${server} | ${program} get" to see what is wrong.`,
  'list-helper': (_setting, {program}) => `Run "${program} list" to see whether it works on this machine.`,
  'install-helper': (_setting, {program}) =>
    `Install ${program}, or take it out of credHelpers and credsStore.`,

  'trust-authority': ({sided}) =>
    given(sided('cacert'), (cacert) => `Give the authority's certificate with ${cacert} FILE.`) ||
    "Add the authority's certificate to the certificates that this machine trusts.",
  'trust-shown-authority': ({sided}, {authority}) =>
    `Put the certificate of ${authority} into the file${given(sided('cacert'), (cacert) => ` that ${cacert} names`) || ' of trusted certificates'}.`,
  'trust-authority-if-right': ({sided}) =>
    `If the certificate is right, ${given(sided('cacert'), (cacert) => `give its authority's with ${cacert} FILE`) || "add its authority's to the certificates that this machine trusts"}.`,
  'use-certificate-name':
    'Name the registry as its certificate does, or have a certificate made for this name.',
  'check-clock': "Renew the certificate, or set this machine's clock right.",
  'use-plain-http': ({sided}) =>
    given(sided('plain-http'), (plain) => `Use ${plain} if the registry is meant to speak plain HTTP.`) ||
    'Check that this is the port at which the registry speaks HTTPS.',
  'use-https': ({sided}) =>
    given(sided('plain-http'), (plain) => `Leave out ${plain} if the registry speaks HTTPS at that port.`) ||
    'Check that this is the port at which the registry speaks plain HTTP.',
  'give-client-certificate': (setting) =>
    clientCertificate(setting, (cert, key) => `Give a client certificate with ${cert} FILE ${key} FILE.`) ||
    'Give a client certificate.',
  'check-client-certificate': (setting) =>
    `Check that the registry knows the authority of the client certificate${clientCertificate(setting, (cert, key) => ` that ${cert} and ${key} name`)}.`,
  'switch-on-tls': 'Switch on TLS 1.2 or 1.3 at the registry.',
  'use-pem': 'Give the certificate as PEM: -----BEGIN CERTIFICATE-----.',
  'convert-der': 'Convert the file to PEM: openssl x509 -inform DER -in FILE -out FILE.pem.',
  'convert-pkcs12':
    'Convert a PKCS#12 file to PEM: openssl pkcs12 -in FILE -clcerts -nokeys -out cert.pem, and -nocerts -nodes -out key.pem.',
  'reissue-certificate': 'Have a certificate made that OpenSSL accepts, by an authority that may sign it.',
  'check-handshake': ({sided}) =>
    `Check which TLS versions and ciphers the server allows${given(sided('client-cert'), (cert) => `, and give ${cert} if it wants a client certificate`)}.`,
  'use-plain-key': 'Give the key as PEM, and not encrypted.',

  'correct-proxy-url':
    'Give the proxy as http://host:port, https://host:port or socks5://host:port, with user:password@ before the host if it asks for them, both percent-encoded.',
  'check-proxy': ({sided}) =>
    `Check HTTPS_PROXY${given(sided('proxy'), (proxy) => `, HTTP_PROXY and ${proxy}`) || ' and HTTP_PROXY'}, or name the registry in NO_PROXY to go past the proxy.`,
  'check-proxy-scheme': 'Check whether it is an http://, an https:// or a socks5:// proxy.',
  // Written without a scheme: redaction takes what precedes the host out of every URL.
  'add-proxy-login':
    'Put a user name and a password before the host of the proxy, as in USER:PASSWORD@HOST:PORT.',
  'check-proxy-login':
    'Correct the user name and the password in the URL of the proxy, and percent-encode special characters in them.',
  'check-behind-proxy': (_setting, {target}) =>
    `Check that ${target} is up, and that the proxy can reach it.`,
  'allow-at-proxy': (_setting, {target}) =>
    `Allow ${target} at the proxy, or name it in NO_PROXY to go past the proxy.`,
} satisfies Partial<Words>

function clientCertificate({sided}: Setting, part: (cert: string, key: string) => string): string {
  return given(sided('client-cert'), (cert) => given(sided('client-key'), (key) => part(cert, key)))
}
