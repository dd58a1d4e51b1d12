import {choiceSettings} from '../../job/shared-settings.js'
import {defaults} from '../../settings/defaults.js'
import {repeated, sharedFlag, text, toggle} from '../../settings/define-flag.js'
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
  prune: sharedFlag('prune', choiceSettings.prune, {helpGroup: nightly}),
  'prune-max': sharedFlag('prune-max', choiceSettings['prune-max'], {
    helpGroup: nightly,
    initial: defaults.pruneMax,
  }),
  shard: text('shard', {
    description: 'do only part I of N of the job, from 0/N on; each part is a run of its own',
    helpValue: 'I/N',
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
