import {defaults} from './defaults.js'
import {text, toggle} from './define-flag.js'

interface Wording {
  readonly prefix: '' | 'source-'
  readonly group: string
  readonly registry: string
  readonly transfers: string
  /** The unit that `--concurrency` counts. */
  readonly counted: string
}

/** How a registry is reached, trusted and spared: the same flags for either side. */
function connectionFlags({prefix, group: helpGroup, registry, transfers, counted}: Wording) {
  const valued = (flag: string, helpValue: string, description: string) =>
    text(`${prefix}${flag}`, {description, helpValue, helpGroup})
  const plain = (flag: string, description: string) => toggle(`${prefix}${flag}`, {description, helpGroup})
  return {
    cacert: valued('cacert', 'FILE', "PEM certificates to trust, besides the system's and Node's"),
    'client-cert': valued('client-cert', 'FILE', `PEM certificate to show to the ${registry}`),
    'client-key': valued('client-key', 'FILE', 'its private key'),
    'plain-http': plain('plain-http', 'speak HTTP; never guessed'),
    'insecure-skip-tls-verify': plain(
      'insecure-skip-tls-verify',
      `do not check the certificate of the ${registry}; warns on every run`,
    ),
    username: valued('username', 'NAME', `user name for the ${registry}`),
    password: valued(
      'password',
      'PASSWORD',
      `password for the ${registry}; others on this machine can see it: prefer --${prefix}password-stdin`,
    ),
    'password-stdin': plain('password-stdin', 'read the password from standard input'),
    'docker-config': valued(
      'docker-config',
      'FILE',
      'a docker config.json or podman auth.json with credentials',
    ),
    concurrency: valued('concurrency', 'N', `${counted} [default: ${defaults.concurrency}]`),
    'limit-rate': valued('limit-rate', 'RATE', `over all ${transfers}, bytes per second`),
    retries: valued(
      'retries',
      'N',
      `how often one piece of work is tried again [default: ${defaults.retries}]`,
    ),
    'retry-max-wait': valued(
      'retry-max-wait',
      'DURATION',
      `longest wait before a retry, Retry-After included, and for a registry that went down [default: ${defaults.retryMaxWait}]`,
    ),
    proxy: valued('proxy', 'URL', `proxy for the ${registry}, over HTTPS_PROXY and HTTP_PROXY`),
    'no-proxy': valued('no-proxy', 'LIST', "hosts reached directly, by Go's rules, over NO_PROXY"),
  }
}

const group = 'REGISTRY'

/** The private registry, however a command names it. */
export const targetRegistryFlags = {
  ...connectionFlags({
    prefix: '',
    group,
    registry: 'registry',
    transfers: 'uploads',
    counted: 'blobs in flight; sync: of up to 1 MiB twice as many',
  }),
  'need-credential': text('need-credential', {
    description:
      'true: insist on a credential before any work; false: none is looked up, sent or asked for. Without it: looked up, and asked for at a terminal when the registry wants one',
    helpValue: 'true|false',
    helpGroup: group,
    options: ['true', 'false'],
  }),
  'chunk-size': text('chunk-size', {
    description: `bytes of one PATCH; 0: always one streamed PATCH [default: ${defaults.chunkSize}]`,
    helpValue: 'auto|0|SIZE',
    helpGroup: group,
  }),
}

/** `--private-registry` and how to reach it. */
export function privateRegistryFlags(options: {readonly required: boolean}) {
  return {
    'private-registry': text('private-registry', {
      description: 'where the images go',
      helpValue: 'HOST[:PORT][/NAMESPACE]',
      helpGroup: group,
      required: options.required,
    }),
    ...targetRegistryFlags,
  }
}

type Prefixed<Flags> = {[Name in keyof Flags & string as `source-${Name}`]: Flags[Name]}

function prefixed<Flags extends object>(flags: Flags): Prefixed<Flags> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [`source-${name}`, flag]),
  ) as Prefixed<Flags>
}

/** The registries that images come from. */
export const sourceRegistryFlags = {
  ...prefixed(
    connectionFlags({
      prefix: 'source-',
      group: 'SOURCE REGISTRIES',
      registry: 'source registry',
      transfers: 'downloads from one registry',
      counted: 'connections to one registry',
    }),
  ),
  'source-mirrors': text('source-mirrors', {
    description:
      'a registries.conf, a registries.yaml or mirror sets of OpenShift: where references are really fetched from',
    helpValue: 'FILE',
    helpGroup: 'SOURCE REGISTRIES',
  }),
}
