import {repeated, text, toggle} from '../../settings/define-flag.js'
import {
  choosingFlags,
  listFlags,
  metricsFlags,
  outputFlags,
  readingFlags,
  signatureFlags,
  stateFlags,
} from '../../settings/flags.js'
import {namingFlags} from '../../settings/naming-flags.js'
import {privateRegistryFlags, sourceRegistryFlags} from '../../settings/registry-flags.js'

const {source: _required, 'layer-compression': _compression, ...bundleFlags} = readingFlags
const {
  'dry-run': _dryRun,
  'keep-going': _keepGoing,
  'fail-fast': _failFast,
  ...verifyOutputFlags
} = outputFlags

/** Flags of `mirror verify`. */
export const verifyFlags = {
  source: text('source', {
    description:
      'the bundle that was pushed: a file, a directory, or - for standard input. Without it, the registries that --images names are the source',
    helpValue: 'BUNDLE',
  }),
  ...privateRegistryFlags({required: false}),
  deep: toggle('deep', {
    description: 'read all content back and compare digests, instead of asking if it exists',
    helpGroup: 'CHOOSING',
  }),
  crictl: repeated('crictl', {
    description:
      'the images of a node, by the repo digests in a saved output of crictl inspecti or crictl images -o json; repeatable',
    helpValue: 'FILE',
    helpGroup: 'CHOOSING',
  }),
  ...listFlags,
  ...choosingFlags,
  ...namingFlags,
  ...sourceRegistryFlags,
  ...bundleFlags,
  ...signatureFlags,
  ...stateFlags,
  ...verifyOutputFlags,
  ...metricsFlags,
}
