import {MirrorError} from '@airgap-mirror/oci-client/model'
import {
  heading,
  isOlder,
  type EmitRequest,
  type EmittedFile,
  type Emission,
  type RegistryAccess,
} from './emission.js'
import {ALL_HOSTS} from './mapping.js'
import {mirrorUrl, tomlString} from './mirror-url.js'
import {cannotCut} from './not-expressible.js'
import {hostBases} from './routes.js'

const CERTS = 'etc/containerd/certs.d'

/** `certs.d` with a hosts.toml for each source host, and the config.toml that names it. */
export function emitContainerd(request: EmitRequest): Emission {
  const isOld = isOlder(request, 1, 5)
  if (request.isDeprecated || isOld) return emitDeprecated(request)
  return {
    files: [
      {...configFile(request), isSecret: request.access.login !== undefined},
      ...hostsFiles(request, CERTS),
    ],
    notes: [
      'If a node has an /etc/containerd/config.toml, put config_path into it instead of replacing it. Then restart containerd.',
      'The files below certs.d are read at every pull: they need no restart.',
      ...loginNotes(request.access),
      ...(request.access.login === undefined ? [] : [DEPRECATED_LOGIN]),
    ],
  }
}

const DEPRECATED_LOGIN =
  'containerd warns of a login in config.toml and plans not to read it from 2.4 on: then give pods an imagePullSecret.'

/** The directories of certs.d, with their certificates. */
export function hostsFiles(request: EmitRequest, directory: string): readonly EmittedFile[] {
  const {access, mapping, fallback} = request
  const bases = new Map(hostBases(mapping, 'containerd'))
  const files = [...bases].flatMap(([host, base]) =>
    hostDirectory(`${directory}/${directoryOf(host)}`, {host, base, access, fallback}),
  )
  if (!bases.has(ALL_HOSTS) || bases.has(access.registry)) return files
  // Without an entry of its own the private registry would fall under _default.
  const own = {host: access.registry, base: '', access, fallback: 'cut'} as const
  return [...files, ...hostDirectory(`${directory}/${directoryOf(access.registry)}`, own)]
}

/** containerd looks for HOST_PORT_ first, and a colon is not allowed in file names everywhere. */
function directoryOf(host: string): string {
  if (host === ALL_HOSTS) return '_default'
  return host.replace(/:(\d+)$/, '_$1_')
}

interface HostEntry {
  readonly host: string
  readonly base: string
  readonly access: RegistryAccess
  readonly fallback: EmitRequest['fallback']
}

function hostDirectory(directory: string, entry: HostEntry): readonly EmittedFile[] {
  const {access} = entry
  const usesTls = !access.plainHttp
  const certificates: readonly (EmittedFile | undefined)[] = [
    usesTls && access.ca !== undefined ? {path: `${directory}/ca.crt`, text: access.ca} : undefined,
    usesTls && access.clientCert !== undefined
      ? {path: `${directory}/client.cert`, text: access.clientCert}
      : undefined,
    usesTls && access.clientKey !== undefined
      ? {path: `${directory}/client.key`, text: access.clientKey, isSecret: true}
      : undefined,
  ]
  return [
    {path: `${directory}/hosts.toml`, text: hostsToml(entry)},
    ...certificates.filter((file) => file !== undefined),
  ]
}

function hostsToml({host, base, access, fallback}: HostEntry): string {
  const url = mirrorUrl(access, base)
  const keys = mirrorKeys(access, base)
  const what = host === ALL_HOSTS ? 'every registry without a directory of its own' : host
  const isCut = fallback === 'cut'
  const ending = isCut
    ? 'No other registry is asked, since the mirror is the server too.'
    : 'Then its own registry is asked.'
  return [
    heading(`${what} is pulled from ${url}. ${ending}`).trimEnd(),
    // containerd 1 ignores a file without a host table, and asks the registry in the name.
    ...(isCut ? [`server = ${tomlString(url)}`, ...keys] : upstream(host)),
    '',
    `[host.${tomlString(url)}]`,
    ...keys.map((key) => `  ${key}`),
    '',
  ].join('\n')
}

function mirrorKeys(access: RegistryAccess, base: string): readonly string[] {
  const hasClient = access.clientCert !== undefined
  return [
    'capabilities = ["pull", "resolve"]',
    ...(base === '' ? [] : ['override_path = true']),
    // TLS settings make containerd try HTTPS first on an http URL.
    ...(access.plainHttp || access.ca === undefined ? [] : ['ca = "ca.crt"']),
    ...(access.plainHttp || !hasClient ? [] : ['client = [["client.cert", "client.key"]]']),
    ...(access.plainHttp || !access.skipVerify ? [] : ['skip_verify = true']),
  ]
}

/** Without `server` containerd asks the image's own registry; written out only if the URL is certain. */
function upstream(host: string): readonly string[] {
  if (host === ALL_HOSTS || /^(?:localhost|127\.|\[)/.test(host)) return []
  return [`server = ${tomlString(`https://${host === 'docker.io' ? 'registry-1.docker.io' : host}`)}`]
}

function configFile(request: EmitRequest): EmittedFile {
  const is2 = request.version !== undefined && request.version.major >= 2
  const plugin = is2 ? 'io.containerd.cri.v1.images' : 'io.containerd.grpc.v1.cri'
  const {login, registry} = request.access
  const auth =
    login === undefined
      ? []
      : [
          '',
          `[plugins.${tomlString(plugin)}.registry.configs.${tomlString(registry)}.auth]`,
          `  username = ${tomlString(login.username)}`,
          `  password = ${tomlString(login.password)}`,
        ]
  const text = [
    heading('merge it into the config.toml that a node has.').trimEnd(),
    is2 ? 'version = 3' : '# containerd 2 migrates version 2 by itself.\nversion = 2',
    '',
    `[plugins.${tomlString(plugin)}.registry]`,
    '  # One directory: containerd 2.1 and later take a list as one name, and then use no mirror at all.',
    '  config_path = "/etc/containerd/certs.d"',
    ...auth,
    '',
  ].join('\n')
  return {path: 'etc/containerd/config.toml', text}
}

/** The form of containerd before 1.5, and of the documents of GDC. */
function emitDeprecated(request: EmitRequest): Emission {
  const {access, mapping, fallback} = request
  const {version} = request
  if (version === undefined || version.major >= 2) {
    throw new MirrorError(
      'USAGE',
      'the deprecated registry.mirrors form needs a containerd version before 2.0',
      {
        hint: 'Name the version, such as --for containerd@1.6: containerd 2 ignores its TLS settings.',
      },
    )
  }
  if (fallback === 'cut') {
    throw cannotCut('the deprecated form of containerd', 'its default endpoint cannot be removed')
  }
  const plugin = '"io.containerd.grpc.v1.cri"'
  const bases = hostBases(mapping, 'containerd')
  const certificates = `etc/containerd/mirror-certs`
  const tls = [
    ...(access.ca === undefined ? [] : [`  ca_file = ${tomlString(`/${certificates}/ca.crt`)}`]),
    ...(access.clientCert === undefined
      ? []
      : [
          `  cert_file = ${tomlString(`/${certificates}/client.cert`)}`,
          `  key_file = ${tomlString(`/${certificates}/client.key`)}`,
        ]),
    ...(access.skipVerify ? ['  insecure_skip_verify = true'] : []),
  ]
  const config = `[plugins.${plugin}.registry.configs.${tomlString(access.registry)}`
  const text = [
    heading('merge it into the config.toml that a node has.').trimEnd(),
    'version = 2',
    ...[...bases].flatMap(([host, base]) => [
      '',
      `[plugins.${plugin}.registry.mirrors.${tomlString(host)}]`,
      `  endpoint = [${tomlString(mirrorUrl(access, base))}]`,
    ]),
    ...(access.plainHttp || tls.length === 0 ? [] : ['', `${config}.tls]`, ...tls]),
    ...(access.login === undefined
      ? []
      : [
          '',
          `${config}.auth]`,
          `  username = ${tomlString(access.login.username)}`,
          `  password = ${tomlString(access.login.password)}`,
        ]),
    '',
  ].join('\n')
  const pem = (name: string, content: string | undefined): readonly EmittedFile[] =>
    access.plainHttp || content === undefined
      ? []
      : [{path: `${certificates}/${name}`, text: content, isSecret: name === 'client.key'}]
  return {
    files: [
      {path: 'etc/containerd/config.toml', text, isSecret: access.login !== undefined},
      ...pem('ca.crt', access.ca),
      ...pem('client.cert', access.clientCert),
      ...pem('client.key', access.clientKey),
    ],
    notes: ['Restart containerd after every change of config.toml.', ...loginNotes(access)],
  }
}

function loginNotes({login}: RegistryAccess): readonly string[] {
  return login === undefined
    ? [
        'containerd has no file to name a login in: give pods an imagePullSecret, or write the login with --inline-credentials.',
      ]
    : []
}
