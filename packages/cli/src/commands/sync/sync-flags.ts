import {defaults} from '../../settings/defaults.js'
import {repeated, text, toggle} from '../../settings/define-flag.js'
import {choosingFlags, lockFlags, metricsFlags, outputFlags, stateFlags} from '../../settings/flags.js'
import {namingFlags} from '../../settings/naming-flags.js'
import {privateRegistryFlags, sourceRegistryFlags} from '../../settings/registry-flags.js'

const nightly = 'UNATTENDED RUNS'

const unattendedFlags = {
  wait: text('wait', {
    description: 'how long to wait if another run holds the lock [default: 0s]',
    helpValue: 'DURATION',
    helpGroup: nightly,
  }),
  force: toggle('force', {
    description:
      'overwrite tags that somebody else changed at the target, and ask for every manifest and blob',
    helpGroup: nightly,
  }),
  prune: toggle('prune', {
    description: 'remove tags from the target that an earlier run made and that are no longer wanted',
    helpGroup: nightly,
  }),
  'prune-max': text('prune-max', {
    description: `remove nothing if more than N tags would have to go [default: ${defaults.pruneMax}]`,
    helpValue: 'N',
    helpGroup: nightly,
  }),
  'notify-command': text('notify-command', {
    description: 'shell command to run after a failure, with the report on its standard input',
    helpValue: 'CMD',
    helpGroup: nightly,
  }),
}

/** Flags of `mirror sync`. */
export const syncFlags = {
  images: repeated('images', {
    description: 'list of images, such as k3s-images.txt, or - for standard input',
    helpValue: 'LIST',
  }),
  config: text('config', {description: 'job file, or - for standard input', helpValue: 'FILE'}),
  ...privateRegistryFlags({required: false}),
  ...sourceRegistryFlags,
  ...namingFlags,
  ...choosingFlags,
  ...unattendedFlags,
  ...stateFlags,
  ...lockFlags,
  ...outputFlags,
  ...metricsFlags,
}
