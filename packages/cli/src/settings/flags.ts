import {boolean, custom, string} from '@oclif/core/flags'

/** `MIRROR_FLAG_NAME`, by which every flag can be set in the environment. */
const env = (flag: string): string => `MIRROR_${flag.toUpperCase().replaceAll('-', '_')}`

interface FlagText {
  readonly description: string
  readonly helpGroup?: string
  readonly helpValue?: string
}

const text = (flag: string, options: FlagText & {required?: boolean; options?: string[]}) =>
  string({env: env(flag), ...options})

const toggle = (flag: string, options: FlagText & {exclusive?: string[]}) =>
  boolean({env: env(flag), ...options})

/** A flag that may be repeated; in the environment one value a line. */
const repeated = (flag: string, options: FlagText) =>
  custom({
    ...options,
    multiple: true,
    default: async () => (process.env[env(flag)] ?? '').split('\n').filter((line) => line.trim() !== ''),
    defaultHelp: async () => undefined,
    noCacheDefault: true,
  })()

/** Defaults that the program, its help and its documentation share. */
export const defaults = {
  concurrency: 8,
  retries: 5,
  retryMaxWait: '5m',
  chunkSize: 'auto',
  layerCompression: 'gzip',
  sparseIndex: 'auto',
  mapHost: 'drop',
  progress: 'auto',
} as const

const registry = 'REGISTRY'
const naming = 'NAMING'
const choosing = 'CHOOSING'
const reading = 'READING'
const output = 'OUTPUT'

const registryFlags = {
  'private-registry': text('private-registry', {
    description: 'where the images go',
    helpValue: 'HOST[:PORT][/NAMESPACE]',
    helpGroup: registry,
    required: true,
  }),
  cacert: text('cacert', {
    description: "PEM certificates to trust, besides the system's and Node's",
    helpValue: 'FILE',
    helpGroup: registry,
  }),
  'client-cert': text('client-cert', {
    description: 'PEM certificate to show to the registry',
    helpValue: 'FILE',
    helpGroup: registry,
  }),
  'client-key': text('client-key', {description: 'its private key', helpValue: 'FILE', helpGroup: registry}),
  'plain-http': toggle('plain-http', {description: 'speak HTTP; never guessed', helpGroup: registry}),
  'insecure-skip-tls-verify': toggle('insecure-skip-tls-verify', {
    description: "do not check the registry's certificate; warns on every run",
    helpGroup: registry,
  }),
  username: text('username', {
    helpValue: 'NAME',
    helpGroup: registry,
    description: 'user name for the registry',
  }),
  password: text('password', {
    description: 'password for the registry; others on this machine can see it: prefer --password-stdin',
    helpValue: 'PASSWORD',
    helpGroup: registry,
  }),
  'password-stdin': toggle('password-stdin', {
    description: 'read the password from standard input',
    helpGroup: registry,
  }),
  'docker-config': text('docker-config', {
    description: 'a docker config.json or podman auth.json with credentials',
    helpValue: 'FILE',
    helpGroup: registry,
  }),
  'need-credential': text('need-credential', {
    description:
      'true: insist on a credential before any work; false: none is looked up, sent or asked for. Without it: looked up, and asked for at a terminal when the registry wants one',
    helpValue: 'true|false',
    helpGroup: registry,
    options: ['true', 'false'],
  }),
  concurrency: text('concurrency', {
    description: `blobs in flight [default: ${defaults.concurrency}]`,
    helpValue: 'N',
    helpGroup: registry,
  }),
  'chunk-size': text('chunk-size', {
    description: `bytes of one PATCH; 0: always one streamed PATCH [default: ${defaults.chunkSize}]`,
    helpValue: 'auto|0|SIZE',
    helpGroup: registry,
  }),
  'limit-rate': text('limit-rate', {
    description: 'over all uploads, bytes per second',
    helpValue: 'RATE',
    helpGroup: registry,
  }),
  retries: text('retries', {
    description: `how often one piece of work is tried again [default: ${defaults.retries}]`,
    helpValue: 'N',
    helpGroup: registry,
  }),
  'retry-max-wait': text('retry-max-wait', {
    description: `longest wait before a retry, Retry-After included, and for a registry that went down [default: ${defaults.retryMaxWait}]`,
    helpValue: 'DURATION',
    helpGroup: registry,
  }),
  proxy: text('proxy', {
    description: 'proxy for the registry, over HTTPS_PROXY and HTTP_PROXY',
    helpValue: 'URL',
    helpGroup: registry,
  }),
  'no-proxy': text('no-proxy', {
    description: "hosts reached directly, by Go's rules, over NO_PROXY",
    helpValue: 'LIST',
    helpGroup: registry,
  }),
}

const namingFlags = {
  'map-host': text('map-host', {
    description: `the source host: dropped, or kept as the first path component [default: ${defaults.mapHost}]`,
    helpValue: 'drop|keep',
    helpGroup: naming,
    options: ['drop', 'keep'],
  }),
  rewrite: repeated('rewrite', {
    description: 'rewrite the repository path, RE2 syntax; repeatable, in order',
    helpValue: 'REGEX=REPLACEMENT',
    helpGroup: naming,
  }),
  map: text('map', {
    description: 'lines SOURCE TARGET that win over all rules',
    helpValue: 'FILE',
    helpGroup: naming,
  }),
  'max-depth': text('max-depth', {
    description: 'join path components deeper than this with -',
    helpValue: 'N',
    helpGroup: naming,
  }),
}

const choosingFlags = {
  images: repeated('images', {
    description: 'only the images this list names, such as k3s-images.txt; repeatable',
    helpValue: 'LIST',
    helpGroup: choosing,
  }),
  include: repeated('include', {
    description: 'only source references that match; repeatable',
    helpValue: 'GLOB',
    helpGroup: choosing,
  }),
  exclude: repeated('exclude', {
    description: 'no source reference that matches; repeatable',
    helpValue: 'GLOB',
    helpGroup: choosing,
  }),
  platform: repeated('platform', {
    description: 'only these platforms; repeatable [default: all]',
    helpValue: 'OS/ARCH[/VARIANT]',
    helpGroup: choosing,
  }),
  'sparse-index': text('sparse-index', {
    description: `an index whose children are not all in the bundle [default: ${defaults.sparseIndex}]`,
    helpValue: 'auto|strict|prune|platform|as-is',
    helpGroup: choosing,
    options: ['auto', 'strict', 'prune', 'platform', 'as-is'],
  }),
  'no-referrers': toggle('no-referrers', {
    description: 'leave out signatures, attestations and SBOMs',
    helpGroup: choosing,
  }),
}

const readingFlags = {
  source: text('source', {
    description: 'a bundle: file, directory, or - for standard input',
    helpValue: 'BUNDLE',
    required: true,
  }),
  'layer-compression': text('layer-compression', {
    description: `for layers that the bundle holds plain [default: ${defaults.layerCompression}]`,
    helpValue: 'gzip|zstd|none',
    helpGroup: reading,
    options: ['gzip', 'zstd', 'none'],
  }),
  scratch: text('scratch', {
    description:
      'where bundle content may be spooled if it cannot be read twice [default: the temporary directory]',
    helpValue: 'DIR',
    helpGroup: reading,
  }),
  'no-scratch': toggle('no-scratch', {
    description: 'never write bundle content to disk',
    helpGroup: reading,
    exclusive: ['scratch'],
  }),
  state: text('state', {
    description:
      'where runs remember what saves time: begun uploads, bundle indexes, compressed layers, what hosts take [default: $XDG_STATE_HOME/mirror]',
    helpValue: 'DIR',
    helpGroup: reading,
  }),
  'no-state': toggle('no-state', {
    description: 'remember nothing, and use nothing that was remembered',
    helpGroup: reading,
    exclusive: ['state'],
  }),
}

const outputFlags = {
  progress: text('progress', {
    description: `on standard error [default: ${defaults.progress}]`,
    helpValue: 'auto|bar|plain|json|none',
    helpGroup: output,
    options: ['auto', 'bar', 'plain', 'json', 'none'],
  }),
  json: toggle('json', {description: 'the report on standard output, nothing else there', helpGroup: output}),
  report: text('report', {description: 'write the report', helpValue: 'FILE', helpGroup: output}),
  failed: text('failed', {
    description: 'write the source references of what was not done, ready for --images',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  'dry-run': toggle('dry-run', {
    description: 'the plan, with the bytes that would be sent',
    helpGroup: output,
  }),
  'keep-going': toggle('keep-going', {
    description: 'go on with the other images when one fails, as is the default',
    helpGroup: output,
    exclusive: ['fail-fast'],
  }),
  'fail-fast': toggle('fail-fast', {description: 'stop at the first image that fails', helpGroup: output}),
  quiet: toggle('quiet', {description: 'errors and warnings alone', helpGroup: output}),
  verbose: toggle('verbose', {description: 'one redacted line per HTTP exchange', helpGroup: output}),
}

/** Flags of every command that pushes a bundle. */
export const pushFlags = {...readingFlags, ...registryFlags, ...namingFlags, ...choosingFlags, ...outputFlags}
