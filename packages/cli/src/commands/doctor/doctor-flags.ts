import {toggle} from '../../settings/define-flag.js'
import {privateRegistryFlags} from '../../settings/registry-flags.js'

const {
  'chunk-size': _chunkSize,
  concurrency: _concurrency,
  'limit-rate': _limitRate,
  ...registryFlags
} = privateRegistryFlags({required: true})

/** Flags of `mirror doctor`. */
export const doctorFlags = {
  ...registryFlags,
  json: toggle('json', {
    description: 'print the findings as JSON on standard output, and nothing else there',
    helpGroup: 'OUTPUT',
  }),
}
