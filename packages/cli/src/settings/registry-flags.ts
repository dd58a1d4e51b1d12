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
    cacert: valued(
      'cacert',
      'FILE',
      'certificates to trust (PEM), in addition to those of the system and of Node',
    ),
    'client-cert': valued('client-cert', 'FILE', `client certificate for the ${registry} (PEM)`),
    'client-key': valued('client-key', 'FILE', `private key of --${prefix}client-cert (PEM)`),
    'plain-http': plain('plain-http', 'use HTTP instead of HTTPS (never guessed)'),
    'insecure-skip-tls-verify': plain(
      'insecure-skip-tls-verify',
      `do not check the certificate of the ${registry}; warns on every run`,
    ),
    username: valued('username', 'NAME', `user name for the ${registry}`),
    password: valued(
      'password',
      'PASSWORD',
      `password for the ${registry}; other users of this machine can see it, so prefer --${prefix}password-stdin`,
    ),
    'password-stdin': plain('password-stdin', 'read the password from standard input'),
    'docker-config': valued(
      'docker-config',
      'FILE',
      'Docker config.json or podman auth.json with credentials',
    ),
    concurrency: valued('concurrency', 'N', `${counted} [default: ${defaults.concurrency}]`),
    'limit-rate': valued(
      'limit-rate',
      'RATE',
      `limit for all ${transfers} together, in bytes per second, such as 10M`,
    ),
    retries: valued(
      'retries',
      'N',
      `number of retries for each request or blob [default: ${defaults.retries}]`,
    ),
    'retry-max-wait': valued(
      'retry-max-wait',
      'DURATION',
      `longest wait before a retry (a Retry-After included), and for a registry that is down [default: ${defaults.retryMaxWait}]`,
    ),
    proxy: valued('proxy', 'URL', `proxy for the ${registry}; wins over HTTPS_PROXY and HTTP_PROXY`),
    'no-proxy': valued(
      'no-proxy',
      'LIST',
      "hosts to reach without the proxy, in Go's notation; wins over NO_PROXY",
    ),
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
    counted: 'number of blobs to transfer at once',
  }),
  'need-credential': text('need-credential', {
    description:
      'true: fail before any work if there is no credential; false: neither look for one nor send one [default: use what is found, and ask at a terminal if the registry wants one]',
    helpValue: 'true|false',
    helpGroup: group,
    options: ['true', 'false'],
  }),
  'chunk-size': text('chunk-size', {
    description: `bytes for each PATCH request; 0: one PATCH for each blob [default: ${defaults.chunkSize}]`,
    helpValue: 'auto|0|SIZE',
    helpGroup: group,
  }),
}

/** `--private-registry` and how to reach it. */
export function privateRegistryFlags(options: {readonly required: boolean}) {
  return {
    'private-registry': text('private-registry', {
      description: 'the registry for the images, and a namespace in it',
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
      counted: 'number of connections to one registry',
    }),
  ),
  'source-mirrors': text('source-mirrors', {
    description:
      'registries.conf, registries.yaml or OpenShift mirror sets that say where to fetch images from instead',
    helpValue: 'FILE',
    helpGroup: 'SOURCE REGISTRIES',
  }),
}
