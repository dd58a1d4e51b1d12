import {
  choosingFlags,
  listFlags,
  metricsFlags,
  outputFlags,
  readingFlags,
  recheckFlags,
  signatureFlags,
  stateFlags,
} from '../../settings/flags.js'
import {namingFlags} from '../../settings/naming-flags.js'
import {privateRegistryFlags} from '../../settings/registry-flags.js'

/** Flags of `mirror push`. */
export const pushFlags = {
  ...readingFlags,
  ...signatureFlags,
  ...stateFlags,
  ...privateRegistryFlags({required: true}),
  ...namingFlags,
  ...listFlags,
  ...choosingFlags,
  ...recheckFlags,
  ...outputFlags,
  ...metricsFlags,
}
