import {openBundleSink, type BundleOutput, type BundleSink} from '@airgap-mirror/bundle'
import {formatReference, type ImageSource, type SourceImage} from '@airgap-mirror/oci-client/model'
import {bytesBelow, gatherImages, rootDigest, type Gathered} from '../../engine/gather.js'
import {mirror} from '../../engine/mirror.js'
import {namePairs} from '../../engine/name-pairs.js'
import {notForPlatforms} from '../../engine/not-for-platforms.js'
import type {Pair} from '../../engine/pair.js'
import type {MirrorResult} from '../../engine/tally.js'
import {wantedBy} from '../../job/job-images.js'
import type {LockedImage} from '../../names/lock-file.js'
import type {ExitCode} from '../../report/exit-code.js'
import type {ReportImage} from '../../report/report.js'
import {listImages} from '../../run/list-images.js'
import {readOlder, type OlderContent} from '../../run/older-content.js'
import {openSource} from '../../run/open-source.js'
import {runCommand} from '../../run/run-command.js'
import type {Work} from '../../run/work.js'
import type {Run} from '../../run/run.js'
import {platformsIn, writeLock} from '../../run/write-lock.js'
import {flagReader, type FlagValues} from '../../settings/flag-values.js'
import {formatBytes} from '../../text/format-quantity.js'
import {listedNames, nameInBundle} from './bundle-names.js'
import {blobsOnFarSide} from './far-side.js'
import {returnMemory} from './return-memory.js'
import {saveFlags} from './save-flags.js'
import {requireRoom} from './require-room.js'
import {refuseOverOlder} from './refuse-over-older.js'
import {chooserFor, imagesToSave, type ImagesToSave} from './save-images.js'
import type {SaveOutput} from './save-output.js'
import {readSaveSettings, type SaveSettings} from './save-settings.js'

/** Runs a save to its exit code. */
export function runSave(flags: FlagValues): Promise<ExitCode> {
  const {text, list} = flagReader(flags)
  return runCommand({
    command: {name: 'save', flags: saveFlags},
    flags,
    given: {source: text('config') ?? list('images').join(', '), target: text('output') ?? ''},
    read: readSaveSettings,
    bundles: ({output}) => [output.path],
    work: saveImages,
  })
}

async function saveImages(settings: SaveSettings, run: Run): Promise<Work> {
  const {output, platforms} = settings
  const {soon, now} = run.stop
  const older = await Promise.all(settings.since.map((path) => readOlder(path, '--since')))
  await refuseOverOlder(output, older)
  for (const one of older) {
    if ('images' in one && one.images.length === 0)
      run.warn(`--since ${one.from} names no image that the far side has, so nothing is left out for it`)
  }
  const source = await openSource(run, sourceOptions(settings, older))
  const listed = await Promise.all(
    settings.jobs.map((job) => listImages(job, {source, signal: soon, warn: run.warn})),
  )
  if (settings.jobs.every(({nothingFailed}) => nothingFailed === true))
    run.note('nothing failed before, so there is nothing to save and no bundle')
  const references = listed.flatMap(({images}) => images.map((image) => image.source))
  const found = await imagesToSave(references, {...settings, source, warn: run.warn, signal: soon})
  const images = [...found.images, ...found.referrers]
  const gathered = await gatherImages(images, {source, chosen: chooserFor(platforms), signal: soon})
  const unfit: Pair[] = []
  const named = await namePairs(gathered, {
    source,
    nameOf: nameInBundle,
    platforms,
    // An image that a list names must not vanish because of a choice of platforms.
    onLeftOut: (left) => unfit.push(...left.map((image) => unfitPair(image, platforms))),
    signal: soon,
  })
  const pairs = [...named, ...unfit]
  const leaveOut =
    older.length === 0 ? undefined : await blobsOnFarSide(older, {source, run, scratch: settings.scratch})
  const {maxSize, signKey, dockerCompatible, threads, scratch} = settings
  const sink = run.keep(
    await openBundleSink(bundleOutput(output), {
      codec: output.codec,
      maxSize,
      signKey,
      dockerCompatible,
      threads,
      scratch,
      leaveOut,
      nameOf: listedNames(found.images),
    }),
  )
  if (!run.dryRun) await requireRoom(sink, {pairs, source})
  const result = await mirror([{sink, registry: '', pairs}], {
    source,
    sparse: settings.sparse,
    concurrency: settings.concurrency,
    failFast: settings.failFast,
    dryRun: run.dryRun,
    onEvent: run.renderer.onEvent,
    onStart: run.onStart,
    stop: run.stop,
  })
  const asked = gathered.slice(0, found.images.length)
  if (!run.dryRun) await finish(settings, {result, asked, source, sink, run, signal: now})
  return {
    ...result,
    images: withReferrerCounts(result.images, found.attached),
    troubles: listed.flatMap(({troubles}) => troubles),
  }
}

function sourceOptions(
  {jobs, sourceFlags, registries, mirrors, referrers}: SaveSettings,
  older: readonly OlderContent[],
) {
  const named = jobs.flatMap((job) => {
    const {images, listings} = wantedBy(job, job.listed)
    return [...images.map((image) => image.source), ...listings]
  })
  const before = older.flatMap((one) => ('images' in one ? one.images.map(({reference}) => reference) : []))
  return {repositories: [...named, ...before], settings: sourceFlags, registries, mirrors, referrers}
}

function bundleOutput({kind, path}: SaveOutput): BundleOutput {
  return kind === 'stream' ? {kind, stream: process.stdout} : {kind, path}
}

interface Finishing {
  readonly result: MirrorResult
  /** The images without their referrers. */
  readonly asked: readonly Gathered[]
  readonly source: ImageSource
  readonly sink: BundleSink
  readonly run: Run
  readonly signal: AbortSignal
}

/** Writes the bundle from the fetched images, unless the run was asked to stop: then the next run resumes here. */
async function finish(
  {output, lock}: SaveSettings,
  {result, asked, source, sink, run, signal}: Finishing,
): Promise<void> {
  if (result.images.some(({status}) => status === 'cancelled')) return
  if (!result.images.some(({status}) => status === 'pushed')) return
  await returnMemory({bytes: result.bytes.uploaded})
  await sink.finish({signal})
  const {contents, published} = sink.written ?? {}
  if (contents === undefined) return
  const files = published?.files ?? []
  const size = files.reduce((sum, file) => sum + file.size, 0)
  const written =
    files.length === 0
      ? output.path
      : `${output.path}: ${formatBytes(size)} in ${files.length} ${files.length === 1 ? 'file' : 'volumes'}`
  const leftOut =
    contents.absent.length === 0 ? '' : `; ${contents.absent.length} blobs that the far side has are left out`
  run.note(`wrote ${written}${leftOut}`)
  if (lock !== undefined)
    await writeLock(
      lock,
      asked.flatMap((image) => lockedImage(image, source)),
    )
}

function lockedImage(gathered: Gathered, source: ImageSource): readonly LockedImage[] {
  const {name} = gathered.image
  if (name === undefined || !('node' in gathered)) return []
  const {node} = gathered
  const {manifest} = node
  const {digest} = manifest.descriptor
  return [
    {reference: name, digest, bytes: bytesBelow(node, source), platforms: platformsIn(manifest, node.absent)},
  ]
}

function unfitPair(gathered: Gathered, platforms: SaveSettings['platforms']): Pair {
  const {label} = nameInBundle(gathered.image, rootDigest(gathered))
  return {label, image: {error: notForPlatforms(gathered, platforms)}}
}

/** Adds to each image how many of its referrers are in the bundle. */
function withReferrerCounts(
  images: readonly ReportImage[],
  attached: ImagesToSave['attached'],
): readonly ReportImage[] {
  const lost = new Set(images.filter(isLost).map(({source}) => source.replace(/^.*@/, '')))
  const isThere = ({name, root}: SourceImage): boolean =>
    !('manifest' in root && lost.has(root.manifest.digest)) &&
    !(name !== undefined && lost.has(formatReference(name)))
  return images.map((image) => {
    const referrers = attached.get(image.source)
    return referrers === undefined ? image : {...image, referrers: referrers.filter(isThere).length}
  })
}

function isLost({status}: ReportImage): boolean {
  return status !== 'pushed' && status !== 'planned' && status !== 'present'
}
