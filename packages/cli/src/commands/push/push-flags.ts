import {
  choosingFlags,
  listFlags,
  metricsFlags,
  outputFlags,
  readingFlags,
  stateFlags,
} from '../../settings/flags.js'
import {namingFlags} from '../../settings/naming-flags.js'
import {privateRegistryFlags} from '../../settings/registry-flags.js'

/** Flags of `mirror push`. */
export const pushFlags = {
  ...readingFlags,
  ...stateFlags,
  ...privateRegistryFlags({required: true}),
  ...namingFlags,
  ...listFlags,
  ...choosingFlags,
  ...outputFlags,
  ...metricsFlags,
}
