import type {RawNaming, RawOptions, RawRegistry} from './raw-job.js'
import type {FormatName} from './schema-type.js'

/** The words of a registry setting that depend on the registry it is for. */
export interface RegistryWords {
  readonly registry: string
  readonly transfers: string
  /** The unit that `concurrency` counts. */
  readonly counted: string
}

/** A setting that has a flag, a key of the job file, or both under one name. */
export interface SharedSetting {
  /** The meaning of the flag and of the key, without a capital and a full stop. */
  readonly meaning: string | ((words: RegistryWords) => string)
  /** More that holds for the flag alone. `PREFIX` is the beginning of its side's flags. */
  readonly onCommandLine?: string
  /** A sentence that holds for the key alone. */
  readonly inFile?: string
  /** The name of the value in help. Absent for a switch. */
  readonly value?: string
  readonly values?: readonly string[]
  readonly range?: {readonly from: number; readonly to: number}
  readonly format?: FormatName
  /** Absent: it has a flag and a key. */
  readonly only?: 'flag' | 'key'
  /** Absent: the flag exists for either side. The key is for any registry. */
  readonly side?: 'target'
}

/** Settings by which a registry is reached, trusted and spared. */
export const registrySettings = {
  cacert: {
    value: 'FILE',
    meaning: "certificates to trust (PEM), in addition to the system's and Node's",
  },
  'client-cert': {
    value: 'FILE',
    meaning: ({registry}: RegistryWords) => `client certificate for the ${registry} (PEM)`,
  },
  'client-key': {value: 'FILE', meaning: 'private key of the client certificate (PEM)'},
  'plain-http': {meaning: 'use HTTP instead of HTTPS (never guessed)'},
  'insecure-skip-tls-verify': {
    meaning: ({registry}: RegistryWords) =>
      `do not check the certificate of the ${registry}; warns on every run`,
  },
  username: {value: 'NAME', meaning: ({registry}: RegistryWords) => `user name for the ${registry}`},
  password: {
    value: 'PASSWORD',
    meaning: ({registry}: RegistryWords) => `password for the ${registry}`,
    onCommandLine: 'other users of this machine can see it, so prefer --PREFIXpassword-stdin',
    inFile: 'Write ${NAME} to take it from the environment.',
  },
  'password-stdin': {only: 'flag', meaning: 'read the password from standard input'},
  'password-file': {
    only: 'key',
    value: 'FILE',
    meaning: 'file with the password and nothing else but a line end',
  },
  'docker-config': {value: 'FILE', meaning: 'Docker config.json or podman auth.json with credentials'},
  'credential-helper': {
    only: 'key',
    value: 'NAME',
    meaning: 'name of a program docker-credential-NAME, such as ecr-login or acr-env',
  },
  'service-account-key': {
    only: 'key',
    value: 'FILE',
    meaning: 'Google service account key (JSON), as bmctl takes it in gcrKeyPath',
  },
  concurrency: {value: 'N', meaning: ({counted}: RegistryWords) => counted, range: {from: 1, to: 256}},
  'limit-rate': {
    value: 'RATE',
    format: 'rate',
    meaning: ({transfers}: RegistryWords) =>
      `limit for all ${transfers} together, in bytes per second, such as 10M`,
  },
  retries: {value: 'N', meaning: 'number of retries for each request or blob', range: {from: 0, to: 1000}},
  'retry-max-wait': {
    value: 'DURATION',
    format: 'duration',
    meaning: 'longest wait before a retry (a Retry-After included), and for a registry that is down',
  },
  proxy: {
    value: 'URL',
    meaning: ({registry}: RegistryWords) => `proxy for the ${registry}; wins over HTTPS_PROXY and HTTP_PROXY`,
  },
  'no-proxy': {
    value: 'LIST',
    meaning: "hosts to reach without the proxy, in Go's notation; wins over NO_PROXY",
  },
  'need-credential': {
    side: 'target',
    value: 'true|false',
    values: ['true', 'false'],
    meaning:
      'fail before any work if there is no credential (true), or neither look for one nor send one (false)',
  },
  'chunk-size': {
    side: 'target',
    value: 'auto|0|SIZE',
    format: 'chunk-size',
    meaning: 'bytes for each PATCH request; 0: one PATCH for each blob',
  },
} as const satisfies Readonly<Record<keyof RawRegistry | 'password-stdin', SharedSetting>>

/** Names at the target. */
export const namingSettings = {
  namespace: {
    only: 'key',
    meaning: "path under the target's own namespace",
  },
  'map-host': {
    value: 'drop|keep',
    values: ['drop', 'keep'],
    meaning: 'drop the source host from names, or keep it as the first path component',
  },
  rewrite: {
    value: 'REGEX=REPLACEMENT',
    meaning: 'rewrite repository paths by rules in RE2 syntax, applied in order',
    inFile: 'A rule is REGEX=REPLACEMENT.',
  },
  map: {
    value: 'FILE',
    meaning: 'file with lines SOURCE TARGET, which win over all other rules',
    inFile: 'Or the same as keys and values.',
  },
  'max-depth': {
    value: 'N',
    meaning: 'keep N path components at most: join deeper ones with -',
    range: {from: 1, to: 64},
  },
} as const satisfies Readonly<Record<keyof RawNaming, SharedSetting>>

/** Which images of those that are named, in which form, and which tags are removed. The key of `platform` is `platforms`. */
export const choiceSettings = {
  include: {value: 'GLOB', meaning: 'only source references that match a glob'},
  exclude: {value: 'GLOB', meaning: 'skip source references that match a glob'},
  platform: {
    value: 'OS/ARCH[/VARIANT]',
    meaning: 'only this platform, such as linux/amd64',
  },
  'sparse-index': {
    value: 'auto|strict|prune|platform|as-is',
    values: ['auto', 'strict', 'prune', 'platform', 'as-is'],
    meaning: 'treatment of an index if some of its platforms are missing',
  },
  'no-referrers': {only: 'flag', meaning: 'leave out signatures, attestations and SBOMs'},
  referrers: {
    only: 'key',
    meaning: 'copy signatures, attestations and SBOMs',
    inFile: 'Default: true. The flag --no-referrers means false.',
  },
  prune: {meaning: 'remove tags from the target that an earlier run made and that are no longer wanted'},
  'prune-max': {
    value: 'N',
    meaning: 'remove nothing if more than N tags would have to go',
    range: {from: 0, to: 1_000_000},
  },
} as const satisfies Readonly<
  Record<Exclude<keyof RawOptions, keyof RawNaming | Only> | 'platform' | 'no-referrers', SharedSetting>
>

/** Keys of a job that have no flag of their own, or one of another name. */
type Only = 'targets' | 'immutable' | 'platforms'

/** The meaning for the registry that the words are for. */
export function meaningOf({meaning}: SharedSetting, words: RegistryWords): string {
  return typeof meaning === 'string' ? meaning : meaning(words)
}

/** The description of a key: sentences. */
export function keyText(setting: SharedSetting): string {
  const meaning = meaningOf(setting, ANY_REGISTRY)
  const sentence = `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`
  return setting.inFile === undefined ? sentence : `${sentence} ${setting.inFile}`
}

const ANY_REGISTRY: RegistryWords = {
  registry: 'registry',
  transfers: 'transfers',
  counted: 'number of connections',
}
