import {toggle} from '../../settings/define-flag.js'
import {choosingFlags, outputFlags, readingFlags, recheckFlags, stateFlags} from '../../settings/flags.js'
import {sourceRegistryFlags, targetRegistryFlags} from '../../settings/registry-flags.js'

const {source: _bundle, ...fileReadingFlags} = readingFlags
const {include: _include, exclude: _exclude, ...oneImageFlags} = choosingFlags
const {
  failed: _failed,
  'keep-going': _keepGoing,
  'fail-fast': _failFast,
  ...oneImageOutputFlags
} = outputFlags

/** Flags of `mirror copy`. It copies one image, so there are no flags that choose among several. */
export const copyFlags = {
  all: toggle('all', {
    description: 'copy every platform (the default)',
    helpGroup: 'CHOOSING',
    exclusive: ['platform'],
  }),
  ...oneImageFlags,
  ...recheckFlags,
  ...targetRegistryFlags,
  ...sourceRegistryFlags,
  ...fileReadingFlags,
  ...stateFlags,
  ...oneImageOutputFlags,
}
