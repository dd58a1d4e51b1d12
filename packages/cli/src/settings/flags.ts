import {defaults} from './defaults.js'
import {repeated, text, toggle} from './define-flag.js'
import {namingFlags} from './naming-flags.js'
import {privateRegistryFlags, sourceRegistryFlags, targetRegistryFlags} from './registry-flags.js'

export {emitFlags} from './emit-flags.js'

const choosing = 'CHOOSING'
const reading = 'READING'
const keeping = 'STATE'
const nightly = 'UNATTENDED RUNS'
const output = 'OUTPUT'

const listFlags = {
  images: repeated('images', {
    description: 'only the images this list names, such as k3s-images.txt; repeatable',
    helpValue: 'LIST',
    helpGroup: choosing,
  }),
}

const choosingFlags = {
  include: repeated('include', {
    description: 'only source references that match; repeatable',
    helpValue: 'GLOB',
    helpGroup: choosing,
  }),
  exclude: repeated('exclude', {
    description: 'no source reference that matches; repeatable',
    helpValue: 'GLOB',
    helpGroup: choosing,
  }),
  platform: repeated('platform', {
    description: 'only these platforms; repeatable [default: all]',
    helpValue: 'OS/ARCH[/VARIANT]',
    helpGroup: choosing,
  }),
  'sparse-index': text('sparse-index', {
    description: `an index whose children are not all in the bundle [default: ${defaults.sparseIndex}]`,
    helpValue: 'auto|strict|prune|platform|as-is',
    helpGroup: choosing,
    options: ['auto', 'strict', 'prune', 'platform', 'as-is'],
  }),
  'no-referrers': toggle('no-referrers', {
    description: 'leave out signatures, attestations and SBOMs',
    helpGroup: choosing,
  }),
}

const readingFlags = {
  source: text('source', {
    description: 'a bundle: file, directory, or - for standard input',
    helpValue: 'BUNDLE',
    required: true,
  }),
  'layer-compression': text('layer-compression', {
    description: `for layers that the bundle holds plain [default: ${defaults.layerCompression}]`,
    helpValue: 'gzip|zstd|none',
    helpGroup: reading,
    options: ['gzip', 'zstd', 'none'],
  }),
  scratch: text('scratch', {
    description:
      'where bundle content may be spooled if it cannot be read twice [default: the temporary directory]',
    helpValue: 'DIR',
    helpGroup: reading,
  }),
  'no-scratch': toggle('no-scratch', {
    description: 'never write bundle content to disk',
    helpGroup: reading,
    exclusive: ['scratch'],
  }),
}

const stateFlags = {
  state: text('state', {
    description:
      'where runs remember what saves time: begun uploads, bundle indexes, compressed layers, what hosts take, tags that were made [default: $XDG_STATE_HOME/mirror]',
    helpValue: 'DIR',
    helpGroup: keeping,
  }),
  'no-state': toggle('no-state', {
    description: 'remember nothing, and use nothing that was remembered',
    helpGroup: keeping,
    exclusive: ['state'],
  }),
}

const outputFlags = {
  progress: text('progress', {
    description: `on standard error [default: ${defaults.progress}]`,
    helpValue: 'auto|bar|plain|json|none',
    helpGroup: output,
    options: ['auto', 'bar', 'plain', 'json', 'none'],
  }),
  json: toggle('json', {description: 'the report on standard output, nothing else there', helpGroup: output}),
  report: text('report', {description: 'write the report', helpValue: 'FILE', helpGroup: output}),
  failed: text('failed', {
    description: 'write the source references of what was not done, ready for --images',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  'dry-run': toggle('dry-run', {
    description: 'the plan, with the bytes that would be sent',
    helpGroup: output,
  }),
  'keep-going': toggle('keep-going', {
    description: 'go on with the other images when one fails, as is the default',
    helpGroup: output,
    exclusive: ['fail-fast'],
  }),
  'fail-fast': toggle('fail-fast', {description: 'stop at the first image that fails', helpGroup: output}),
  quiet: toggle('quiet', {description: 'errors and warnings alone', helpGroup: output}),
  verbose: toggle('verbose', {description: 'one redacted line per HTTP exchange', helpGroup: output}),
}

/** What a run without a person at the terminal leaves behind. */
const metricsFlags = {
  metrics: text('metrics', {
    description: 'write the figures of the run as a Prometheus textfile',
    helpValue: 'FILE',
    helpGroup: output,
  }),
}

const unattendedFlags = {
  wait: text('wait', {
    description: 'how long to wait for another run that holds the lock [default: 0s]',
    helpValue: 'DURATION',
    helpGroup: nightly,
  }),
  force: toggle('force', {
    description: 'overwrite tags that somebody else has changed at the target',
    helpGroup: nightly,
  }),
  prune: toggle('prune', {
    description: 'remove tags from the target that an earlier run made and that are no longer wanted',
    helpGroup: nightly,
  }),
  'prune-max': text('prune-max', {
    description: `remove nothing where more than this would have to go [default: ${defaults.pruneMax}]`,
    helpValue: 'N',
    helpGroup: nightly,
  }),
  'notify-command': text('notify-command', {
    description: 'a shell command that is run when something failed, with the report on its standard input',
    helpValue: 'CMD',
    helpGroup: nightly,
  }),
}

/** Flags of every command that pushes a bundle. */
export const pushFlags = {
  ...readingFlags,
  ...stateFlags,
  ...privateRegistryFlags({required: true}),
  ...namingFlags,
  ...listFlags,
  ...choosingFlags,
  ...outputFlags,
  ...metricsFlags,
}

/** Flags of `mirror sync`. */
export const syncFlags = {
  images: repeated('images', {
    description: 'a list of images, such as k3s-images.txt, or - for standard input; repeatable',
    helpValue: 'LIST',
  }),
  config: text('config', {description: 'a job file, or - for standard input', helpValue: 'FILE'}),
  ...privateRegistryFlags({required: false}),
  ...sourceRegistryFlags,
  ...namingFlags,
  ...choosingFlags,
  ...unattendedFlags,
  ...stateFlags,
  ...outputFlags,
  ...metricsFlags,
}

const {source: _bundle, ...fileReadingFlags} = readingFlags
const {include: _include, exclude: _exclude, ...oneImageFlags} = choosingFlags
const {
  failed: _failed,
  'keep-going': _keepGoing,
  'fail-fast': _failFast,
  ...oneImageOutputFlags
} = outputFlags

/** Flags of `mirror copy`: one image, so that none of those chooses among several. */
export const copyFlags = {
  all: toggle('all', {
    description: 'every platform, as is the default',
    helpGroup: choosing,
    exclusive: ['platform'],
  }),
  ...oneImageFlags,
  ...targetRegistryFlags,
  ...sourceRegistryFlags,
  ...fileReadingFlags,
  ...stateFlags,
  ...oneImageOutputFlags,
}

/** Flags of `mirror config explain`. */
export const explainFlags = {
  files: text('files', {
    description: 'a directory in which files lie as on a node, or one file',
    helpValue: 'FILE|DIR',
    required: true,
  }),
  as: text('as', {
    description: 'the container runtime, if the files do not show it, and its version',
    helpValue: 'RUNTIME[@VERSION]',
  }),
  json: toggle('json', {description: 'the explanation as JSON on standard output', helpGroup: 'OUTPUT'}),
}
