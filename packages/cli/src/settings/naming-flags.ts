import {defaults} from './defaults.js'
import {repeated, text} from './define-flag.js'

const naming = 'NAMING'

/** Names in the private registry. */
export const namingFlags = {
  'map-host': text('map-host', {
    description: `drop the source host from names, or keep it as the first path component [default: ${defaults.mapHost}]`,
    helpValue: 'drop|keep',
    helpGroup: naming,
    options: ['drop', 'keep'],
  }),
  rewrite: repeated('rewrite', {
    description: 'rewrite repository paths by rules in RE2 syntax, applied in order',
    helpValue: 'REGEX=REPLACEMENT',
    helpGroup: naming,
  }),
  map: text('map', {
    description: 'file with lines SOURCE TARGET, which win over all other rules',
    helpValue: 'FILE',
    helpGroup: naming,
  }),
  'max-depth': text('max-depth', {
    description: 'keep N path components at most: join deeper ones with -',
    helpValue: 'N',
    helpGroup: naming,
  }),
}
