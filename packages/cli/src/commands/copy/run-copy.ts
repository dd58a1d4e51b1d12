import {LAYER_FORMAT} from '@airgap-mirror/bundle/internal'
import type {SourceImage} from '@airgap-mirror/oci-client/model'
import {holdsReferrers, refuseUnfit} from './check-target.js'
import {speaksOf} from './cosign-tag.js'
import {copiedImages, eventsFor} from './copy-result.js'
import {readCopySettings, type CopySettings} from './copy-settings.js'
import {narrowImage} from './narrow-image.js'
import {shownPlace} from './place.js'
import {copyPairs} from './copy-pairs.js'
import {mirror} from '../../engine/mirror.js'
import {refuseLacking} from '../../engine/refuse-lacking.js'
import type {ExitCode} from '../../report/exit-code.js'
import {runCommand} from '../../run/run-command.js'
import type {Work} from '../../run/work.js'
import type {Run} from '../../run/run.js'
import type {FlagValues} from '../../settings/flag-values.js'
import {copyFlags} from './copy-flags.js'
import {openCopySource, type CopySource} from './copy-source.js'
import {openCopyTarget} from './copy-target.js'

/** Runs a copy to its exit code. */
export function runCopy(
  places: {readonly source: string; readonly destination: string},
  flags: FlagValues,
): Promise<ExitCode> {
  return runCommand({
    command: {name: 'copy', flags: copyFlags},
    flags,
    given: {source: shownPlace(places.source), target: shownPlace(places.destination)},
    read: () => readCopySettings(places, flags),
    remembers: {layerFormat: LAYER_FORMAT, told: 'note'},
    bundles: ({from, to}) =>
      [from, to].flatMap((place) => (place.transport === 'docker' ? [] : [place.path])),
    work: copyImage,
  })
}

async function copyImage(settings: CopySettings, run: Run): Promise<Work> {
  const {from, to} = settings
  const {soon, now} = run.stop
  const target = await openCopyTarget(settings, run)
  const origin = await openCopySource(settings, run)
  const {source} = origin
  const narrowed = await narrowImage(origin.image, {...settings, source, signal: soon})
  await refuseUnfit(narrowed, {to, source, signal: soon})
  const referrers = await referrersFor(narrowed.image, {settings, origin, run})
  const pairs = await copyPairs(
    {image: narrowed.image, referrers},
    {from, to, source, platforms: narrowed.platforms, signal: soon},
  )
  await refuseLacking(pairs, {
    leftOut: origin.leftOut,
    sink: target.sink,
    concurrency: settings.concurrency,
    signal: soon,
  })
  if (!run.dryRun) await target.announce(narrowed.image, source, {signal: soon})
  const registry = to.transport === 'docker' ? to.reference.registry : ''
  const result = await mirror([{sink: target.sink, registry, pairs}], {
    source,
    sparse: narrowed.sparse,
    proof: settings.proof,
    concurrency: settings.concurrency,
    failFast: false,
    dryRun: run.dryRun,
    layers: to.transport === 'docker' ? run.state?.layers : undefined,
    onEvent: eventsFor(to, run.renderer.onEvent),
    onStart: run.onStart,
    stop: run.stop,
  })
  if (result.images.some(({status}) => status === 'pushed')) await target.finish({signal: now})
  return {...result, images: copiedImages(result.images, {to, original: origin.image})}
}

/** Resolves to the referrers to copy. If the target cannot hold any, resolves to none and adds a note. */
async function referrersFor(
  image: SourceImage,
  {settings, origin, run}: {settings: CopySettings; origin: CopySource; run: Run},
): Promise<readonly SourceImage[]> {
  const referrers = await origin.referrersOf(image)
  const {transport} = settings.to
  if (holdsReferrers(settings.to)) return referrers
  if (referrers.some((referrer) => speaksOf(referrer, image)))
    run.note(`signatures and other referrers are left out: ${transport} has no place for them`)
  return []
}
