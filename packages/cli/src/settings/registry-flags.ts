import type {Side} from '@airgap-mirror/oci-client/model'
import {registrySettings, type RegistryWords, type SharedSetting} from '../job/shared-settings.js'
import {defaults} from './defaults.js'
import {sharedFlag, text, type SharedFlag} from './define-flag.js'
import {prefixOf} from './registry-settings.js'

type Settings = typeof registrySettings

/** The names of the settings that have a flag on either side, and of those that the target's alone has. */
type FlagName<Side> = {
  [Name in keyof Settings]: Settings[Name] extends {only: 'key'}
    ? never
    : Settings[Name] extends {side: 'target'}
      ? Side extends 'target'
        ? Name
        : never
      : Name
}[keyof Settings]

type RegistryFlags<Side> = {[Name in FlagName<Side>]: SharedFlag<Settings[Name]>}

/**
 * The flags by which a registry is reached, trusted and spared: the same for either side, each with the words of its
 * side.
 */
function connectionFlags<Of extends Side>(
  side: Of,
  {group: helpGroup, ...words}: RegistryWords & {readonly group: string},
): RegistryFlags<Of> {
  const prefix = prefixOf(side)
  const own = Object.entries<SharedSetting>(registrySettings).filter(
    ([, {only, side: hasOnly = side}]) => only !== 'key' && hasOnly === side,
  )
  return Object.fromEntries(
    own.map(([name, setting]) => [
      name,
      sharedFlag(name, setting, {prefix, helpGroup, words, initial: INITIAL[name]}),
    ]),
  ) as RegistryFlags<Of>
}

const INITIAL: Readonly<Record<string, string | number>> = {
  concurrency: defaults.concurrency,
  retries: defaults.retries,
  'retry-max-wait': defaults.retryMaxWait,
  'need-credential': 'use what is found, and ask at a terminal if the registry wants one',
  'chunk-size': defaults.chunkSize,
}

const group = 'REGISTRY'

/** The private registry, however a command names it. */
export const targetRegistryFlags = connectionFlags('target', {
  group,
  registry: 'registry',
  transfers: 'uploads',
  counted: 'number of blobs to transfer at once',
})

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
    connectionFlags('source', {
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
