import type {LayerCompression} from '@airgap-mirror/bundle'
import {choiceSettings} from '../job/shared-settings.js'
import {PROGRESS_MODES} from '../render/renderer.js'
import {defaults} from './defaults.js'
import {repeated, repeatedFlag, sharedFlag, text, toggle} from './define-flag.js'

export const LAYER_COMPRESSIONS = ['gzip', 'zstd', 'none'] as const satisfies readonly LayerCompression[]

const choosing = 'CHOOSING'
const reading = 'READING'
const keeping = 'STATE'
const output = 'OUTPUT'

export const listFlags = {
  images: repeated('images', {
    description: 'only the images that LIST names, such as k3s-images.txt',
    helpValue: 'LIST',
    helpGroup: choosing,
  }),
}

export const choosingFlags = {
  include: repeatedFlag('include', choiceSettings.include, {helpGroup: choosing}),
  exclude: repeatedFlag('exclude', choiceSettings.exclude, {helpGroup: choosing}),
  platform: repeatedFlag('platform', choiceSettings.platform, {helpGroup: choosing, initial: 'all'}),
  'sparse-index': sharedFlag('sparse-index', choiceSettings['sparse-index'], {
    helpGroup: choosing,
    initial: defaults.sparseIndex,
  }),
  'no-referrers': sharedFlag('no-referrers', choiceSettings['no-referrers'], {helpGroup: choosing}),
}

/** For commands that leave out content that a registry has. */
export const recheckFlags = {
  recheck: toggle('recheck', {
    description:
      'ask for every manifest and blob, even if the tag is there, and send what is missing or damaged',
    helpGroup: choosing,
  }),
}

export const readingFlags = {
  source: text('source', {
    description: 'the bundle: a file, a directory, or - for standard input',
    helpValue: 'BUNDLE',
    required: true,
  }),
  'layer-compression': text('layer-compression', {
    description: `compression of layers that the bundle holds uncompressed [default: ${defaults.layerCompression}]`,
    helpValue: 'gzip|zstd|none',
    helpGroup: reading,
    options: [...LAYER_COMPRESSIONS],
  }),
  scratch: text('scratch', {
    description:
      'directory for copies of content that cannot be read twice [default: the temporary directory]',
    helpValue: 'DIR',
    helpGroup: reading,
    exclusive: ['no-scratch'],
  }),
  'no-scratch': toggle('no-scratch', {
    description: 'never write bundle content to disk',
    helpGroup: reading,
    exclusive: ['scratch'],
  }),
}

/** For commands that resolve references. */
export const lockFlags = {
  lock: text('lock', {
    description: 'write the digest of each reference to FILE, for review and for --images',
    helpValue: 'FILE',
    helpGroup: output,
  }),
}

/** For commands that can refuse a bundle before they use it. */
export const signatureFlags = {
  'verify-key': text('verify-key', {
    description:
      'refuse the bundle, before the first byte, unless its signature holds with this public key or certificate (PEM)',
    helpValue: 'FILE',
    helpGroup: reading,
  }),
}

export const stateFlags = {
  state: text('state', {
    description:
      'directory for saved state, such as uploads to resume and indexes of bundles [default: $XDG_STATE_HOME/mirror]',
    helpValue: 'DIR',
    helpGroup: keeping,
    exclusive: ['no-state'],
  }),
  'no-state': toggle('no-state', {
    description: 'neither read nor write saved state',
    helpGroup: keeping,
    exclusive: ['state'],
  }),
}

export const outputFlags = {
  progress: text('progress', {
    description: `form of the progress on standard error [default: ${defaults.progress}]`,
    helpValue: 'auto|bar|plain|json|none',
    helpGroup: output,
    options: [...PROGRESS_MODES],
  }),
  json: toggle('json', {
    description: 'print the report as JSON on standard output, and nothing else there',
    helpGroup: output,
  }),
  report: text('report', {
    description: 'write the report as JSON to FILE',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  failed: text('failed', {
    description: 'write the references of images that were not done to FILE, ready for --images',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  'dry-run': toggle('dry-run', {
    description: 'show what would be done and sent, and change nothing',
    helpGroup: output,
  }),
  'keep-going': toggle('keep-going', {
    description: 'continue with the other images if one fails (the default)',
    helpGroup: output,
    exclusive: ['fail-fast'],
  }),
  'fail-fast': toggle('fail-fast', {
    description: 'stop at the first image that fails',
    helpGroup: output,
    exclusive: ['keep-going'],
  }),
  quiet: toggle('quiet', {description: 'print only errors and warnings', helpGroup: output}),
  verbose: toggle('verbose', {
    description: 'print one line for each HTTP exchange, with secrets masked',
    helpGroup: output,
  }),
  trace: text('trace', {
    description: 'write a timeline of requests, blobs, decoding and waits to FILE, for Perfetto',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  timeout: text('timeout', {
    description: 'stop the run after this time [default: no limit]',
    helpValue: 'DURATION',
    helpGroup: output,
  }),
}

/** Flags for unattended runs. */
export const metricsFlags = {
  junit: text('junit', {
    description: 'write the result of each image to FILE as JUnit XML, which CI systems show',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  metrics: text('metrics', {
    description: 'write the figures of the run to FILE, for the textfile collector of node_exporter',
    helpValue: 'FILE',
    helpGroup: output,
  }),
}
