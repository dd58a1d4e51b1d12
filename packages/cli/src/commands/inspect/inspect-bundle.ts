import {stat} from 'node:fs/promises'
import {gather} from '../../engine/gather.js'
import {reportErrorOf} from '../../report/report-error.js'
import {openBundleSource} from '../../run/open-bundle-source.js'
import type {Run} from '../../run/run.js'
import {wordedError} from '../../run/word-advice.js'
import type {AdvisedCommand} from '../../text/advice/words.js'
import {describeBundle, totalsOf} from './bundle-facts.js'
import {inspectImages} from './inspect-images.js'
import type {Inspection} from './inspection.js'
import {isReferrer, referrersAmong} from './referrers.js'
import {warningsOf} from './warnings.js'

export interface InspectBundleOptions {
  readonly run: Run
  readonly command: AdvisedCommand
  /** Used for a stream alone. */
  readonly scratch: {readonly directory: string} | 'never'
  /** True: a bundle without images is an error. Default false. */
  readonly requireImages?: boolean
}

/**
 * Reads a bundle's index, its manifests, and the configs of images for a single platform. No layer is read.
 * @param path a file, a directory, a volume, or `-`
 * @throws {MirrorError} the errors of opening a bundle; if images are not required, the reason why it has none is its
 * `error` instead
 */
export async function inspectBundle(
  path: string,
  {run, command, scratch, requireImages = false}: InspectBundleOptions,
): Promise<Inspection> {
  const reading: string[] = []
  const source = await openBundleSource(
    {...run, warn: (text) => void reading.push(text)},
    {
      path,
      scratch: (await isStream(path)) ? scratch : 'never',
      layerCompression: 'gzip',
      contentFollows: false,
      requireImages,
    },
  )
  const {soon: signal} = run.stop
  const gathered = await gather(source, {signal})
  const referrers = referrersAmong(gathered, source.description)
  const images = await inspectImages(
    gathered.filter((one) => 'error' in one || !isReferrer(one.image)),
    {source, referrers, word: (error) => wordedError(error, command), signal},
  )
  const orphans = referrers.rest()
  const {refusal} = source.description
  return {
    $schema: 'urn:mirror:inspect:v1',
    schema: 'mirror.inspect/v1',
    source: path,
    bundle: describeBundle(source.description),
    totals: totalsOf(images, {orphans, decoded: source.usage.decoded}),
    images,
    orphans,
    warnings: warningsOf({images, orphans, reading}),
    unused: source.unused.map(({path: inside, size: bytes, reason}) => ({path: inside, bytes, reason})),
    error: refusal === undefined ? undefined : wordedError(reportErrorOf(refusal), command),
  }
}

/** Returns true for what can be read only once. A file can be read again, which costs less than writing it to disk. */
async function isStream(path: string): Promise<boolean> {
  if (path === '-') return true
  const stats = await stat(path).catch(() => undefined)
  return stats !== undefined && !stats.isFile() && !stats.isDirectory()
}
