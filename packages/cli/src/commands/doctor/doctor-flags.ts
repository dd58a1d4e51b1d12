import {text, toggle} from '../../settings/define-flag.js'
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
  'try-body': text('try-body', {
    description:
      'also try requests up to this size, in uploads that are cancelled: up to four times as much is sent',
    helpValue: 'SIZE',
    helpGroup: 'TRIALS',
  }),
  'try-writes': toggle('try-writes', {
    description: 'also try mounts and sparse indexes, by content of some bytes that is deleted again',
    helpGroup: 'TRIALS',
  }),
  json: toggle('json', {
    description: 'print the findings as JSON on standard output, and nothing else there',
    helpGroup: 'OUTPUT',
  }),
}
