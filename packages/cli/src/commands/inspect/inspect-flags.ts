import {toggle} from '../../settings/define-flag.js'
import {readingFlags, stateFlags} from '../../settings/flags.js'

const output = 'OUTPUT'

/** Flags of `mirror inspect`. */
export const inspectFlags = {
  tree: toggle('tree', {
    description: 'show every platform, layer and referrer of each image, with digests',
    helpGroup: output,
    exclusive: ['json'],
  }),
  json: toggle('json', {
    description: 'print the findings as JSON on standard output, and nothing else there',
    helpGroup: output,
    exclusive: ['tree'],
  }),
  scratch: readingFlags.scratch,
  'no-scratch': readingFlags['no-scratch'],
  ...stateFlags,
}
