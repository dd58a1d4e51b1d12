import {defaults} from './defaults.js'
import {repeated, text, toggle} from './define-flag.js'

const choosing = 'CHOOSING'
const reading = 'READING'
const keeping = 'STATE'
const output = 'OUTPUT'

export const listFlags = {
  images: repeated('images', {
    description: 'only the images this list names, such as k3s-images.txt; repeatable',
    helpValue: 'LIST',
    helpGroup: choosing,
  }),
}

export const choosingFlags = {
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

export const readingFlags = {
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
    exclusive: ['no-scratch'],
  }),
  'no-scratch': toggle('no-scratch', {
    description: 'never write bundle content to disk',
    helpGroup: reading,
    exclusive: ['scratch'],
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
      'where runs remember what saves time: begun uploads, bundle indexes, compressed layers, what hosts take, tags that were made [default: $XDG_STATE_HOME/mirror]',
    helpValue: 'DIR',
    helpGroup: keeping,
    exclusive: ['no-state'],
  }),
  'no-state': toggle('no-state', {
    description: 'remember nothing, and use nothing that was remembered',
    helpGroup: keeping,
    exclusive: ['state'],
  }),
}

export const outputFlags = {
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
  'fail-fast': toggle('fail-fast', {
    description: 'stop at the first image that fails',
    helpGroup: output,
    exclusive: ['keep-going'],
  }),
  quiet: toggle('quiet', {description: 'errors and warnings alone', helpGroup: output}),
  verbose: toggle('verbose', {description: 'one redacted line per HTTP exchange', helpGroup: output}),
  timeout: text('timeout', {
    description: 'end the run if it takes longer than this [default: no limit]',
    helpValue: 'DURATION',
    helpGroup: output,
  }),
}

/** Flags for unattended runs. */
export const metricsFlags = {
  junit: text('junit', {
    description: 'write the result of each image as JUnit XML, which CI systems show',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  metrics: text('metrics', {
    description: 'write the figures of the run as a Prometheus textfile',
    helpValue: 'FILE',
    helpGroup: output,
  }),
}
