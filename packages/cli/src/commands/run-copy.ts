import {LAYER_FORMAT} from '@airgap-mirror/bundle'
import type {ImageSource, SourceImage} from '@airgap-mirror/oci-client/model'
import {holdsReferrers, refuseUnfit} from '../copy/check-target.js'
import {speaksOf} from '../copy/cosign-tag.js'
import {copiedImages, labelled} from '../copy/copy-result.js'
import {readCopySettings, type CopySettings} from '../copy/copy-settings.js'
import {narrowImage} from '../copy/narrow-image.js'
import {shownPlace} from '../copy/place.js'
import {prepareCopy} from '../copy/prepare-copy.js'
import {push} from '../engine/push.js'
import type {ExitCode} from '../report/exit-code.js'
import {makeReport, type Report} from '../report/report.js'
import {copyFlags} from '../settings/flags.js'
import {flagReader, type FlagValues} from '../settings/flag-values.js'
import {readOutputFlags} from '../settings/output-settings.js'
import {passwordWarnings} from '../settings/registry-settings.js'
import {openState} from '../state/open-state.js'
import {openCopySource, type CopySource} from './copy-source.js'
import {openCopyTarget} from './copy-target.js'
import {runCommand, type Run} from './run-command.js'

/** Runs a copy to its exit code. */
export async function runCopy(
  places: {readonly source: string; readonly destination: string},
  flags: FlagValues,
): Promise<ExitCode> {
  const read = flagReader(flags)
  const figures = {source: shownPlace(places.source), target: shownPlace(places.destination)}
  const options = {
    command: 'copy',
    flagTable: copyFlags,
    ...figures,
    output: readOutputFlags(read),
    dryRun: read.on('dry-run'),
  }
  return runCommand(options, async (run) => {
    const settings = await readCopySettings(places, flags)
    for (const text of passwordWarnings(flags)) run.warn(text)
    return copyAndReport(settings, run)
  })
}

async function copyAndReport(settings: CopySettings, run: Run): Promise<Report> {
  const {from, to} = settings
  const {note, interruption} = run
  const startedAt = new Date()
  const state = await openState({directory: settings.state, layerFormat: LAYER_FORMAT, onNote: note})
  await using target = await openCopyTarget(settings, {run, state})
  await using origin = await openCopySource(settings, {run, state})
  const {source} = origin
  const narrowed = await narrowImage(origin.image, {...settings, source, signal: interruption.drain})
  await refuseUnfit(narrowed, {to, source, signal: interruption.drain})
  const referrers = await referrersFor(narrowed.image, {settings, origin, run})
  const prepared = prepareCopy({image: narrowed.image, referrers}, {from, to})
  const {sink} = target
  const result = await push({
    ...settings,
    source: withImages(source, prepared.images),
    sink,
    rules: prepared.rules,
    choice: {include: [], exclude: [], referrers: settings.referrers},
    platforms: narrowed.platforms,
    sparse: narrowed.sparse,
    failFast: false,
    layers: to.transport === 'docker' ? state?.layers : undefined,
    onEvent: labelled(run.renderer.onEvent, {labels: prepared, to}),
    onStart: run.onStart,
    signal: interruption.now,
    drain: interruption.drain,
  })
  if (result.images.some(({status}) => status === 'pushed')) await target.finish({signal: interruption.now})
  const {decoded, scratchPeak} = origin.read
  return makeReport(
    {
      command: 'copy',
      source: from.text,
      target: to.text,
      startedAt,
      finishedAt: new Date(),
      dryRun: settings.dryRun,
      blobs: result.blobs,
      bytes: {...result.bytes, decoded, scratchPeak},
      requests: origin.requests.requests + target.requests.requests,
      retries: origin.requests.retries + target.requests.retries,
    },
    copiedImages(result.images, {labels: prepared, to, original: origin.image}),
  )
}

/** What goes with the image; nothing, and a note, where the target has no place for it. */
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

/** A source in which nothing is but these images. */
function withImages(source: ImageSource, images: readonly SourceImage[]): ImageSource {
  return {
    access: source.access,
    images: async () => images,
    manifest: (descriptor, options) => source.manifest(descriptor, options),
    has: (content) => source.has(content),
    blob: (content) => source.blob(content),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}
