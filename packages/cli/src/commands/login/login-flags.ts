import {targetRegistryFlags} from '../../settings/registry-flags.js'

const {
  username,
  password,
  'password-stdin': passwordStdin,
  'docker-config': dockerConfig,
  cacert,
  'client-cert': clientCert,
  'client-key': clientKey,
  'plain-http': plainHttp,
  'insecure-skip-tls-verify': insecureSkipTlsVerify,
  proxy,
  'no-proxy': noProxy,
} = targetRegistryFlags

/** Flags of `mirror login`. */
export const loginFlags = {
  username,
  'password-stdin': passwordStdin,
  password,
  'docker-config': dockerConfig,
  cacert,
  'client-cert': clientCert,
  'client-key': clientKey,
  'plain-http': plainHttp,
  'insecure-skip-tls-verify': insecureSkipTlsVerify,
  proxy,
  'no-proxy': noProxy,
}
