import {text, toggle} from '../../settings/define-flag.js'
import {readingFlags, stateFlags} from '../../settings/flags.js'

const output = 'OUTPUT'

/** Flags of `mirror inspect`. */
export const inspectFlags = {
  diff: text('diff', {
    description:
      'compare with an older bundle, report, lock file or list of digests: what changed, and how much has to be carried',
    helpValue: 'OLD',
    helpGroup: output,
  }),
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
  html: text('html', {
    description: 'also write the findings to FILE, as one page that loads nothing',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  scratch: readingFlags.scratch,
  'no-scratch': readingFlags['no-scratch'],
  ...stateFlags,
}
