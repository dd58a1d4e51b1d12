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
  readonly scratch: {readonly directory: string} | 'never'
}

/**
 * Reads a bundle's index, its manifests, and the configs of images for a single platform. No layer is read.
 * @param path a file, a directory, a volume, or `-`
 * @throws {MirrorError} those of opening a bundle; the reason why a bundle has no images is its `error` instead
 */
export async function inspectBundle(
  path: string,
  {run, command, scratch}: InspectBundleOptions,
): Promise<Inspection> {
  const reading: string[] = []
  const source = await openBundleSource(
    {...run, warn: (text) => void reading.push(text)},
    {path, scratch, layerCompression: 'gzip', contentFollows: false, requireImages: false},
  )
  const {soon: signal} = run.stop
  const gathered = await gather(source, {signal})
  const referrers = referrersAmong(gathered)
  const images = await inspectImages(
    gathered.filter((one) => 'error' in one || !isReferrer(one.image)),
    {source, referrers, word: (error) => wordedError(error, command), signal},
  )
  const orphans = referrers.rest()
  const {refusal} = source.description
  return {
    schema: 'mirror.inspect/v1',
    source: path,
    bundle: describeBundle(source.description),
    totals: totalsOf(images, {orphans, decoded: source.usage.decoded}),
    images,
    orphans,
    warnings: warningsOf({images, orphans, reading}),
    unused: source.unused.map(({path: inside, size: bytes, reason}) => ({path: inside, bytes, reason})),
    ...(refusal === undefined ? {} : {error: wordedError(reportErrorOf(refusal), command)}),
  }
}
