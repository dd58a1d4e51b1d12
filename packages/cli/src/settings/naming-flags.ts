import {defaults} from './defaults.js'
import {repeated, text} from './define-flag.js'

const naming = 'NAMING'

/** Names in the private registry. */
export const namingFlags = {
  'map-host': text('map-host', {
    description: `the source host: dropped, or kept as the first path component [default: ${defaults.mapHost}]`,
    helpValue: 'drop|keep',
    helpGroup: naming,
    options: ['drop', 'keep'],
  }),
  rewrite: repeated('rewrite', {
    description: 'rewrite the repository path, RE2 syntax; repeatable, in order',
    helpValue: 'REGEX=REPLACEMENT',
    helpGroup: naming,
  }),
  map: text('map', {
    description: 'lines SOURCE TARGET that win over all rules',
    helpValue: 'FILE',
    helpGroup: naming,
  }),
  'max-depth': text('max-depth', {
    description: 'join path components deeper than this with -',
    helpValue: 'N',
    helpGroup: naming,
  }),
}
