import {checkBundle} from '@airgap-mirror/bundle'
import {openRegistrySource} from '@airgap-mirror/oci-client'
import {type ImageSource, type Reference} from '@airgap-mirror/oci-client/model'
import pLimit from 'p-limit'
import {gatherImages} from '../../engine/gather.js'
import {byRules} from '../../engine/name-of.js'
import {namePairs} from '../../engine/name-pairs.js'
import {leftOutWarning} from '../../engine/not-for-platforms.js'
import type {Pair} from '../../engine/pair.js'
import {sourcePairs} from '../../engine/source-pairs.js'
import {labelOf, verifyLocked, withoutDigest, type Locked} from '../../engine/verify/verify-locked.js'
import {verifyPairs} from '../../engine/verify/verify-pairs.js'
import {verifySource} from '../../engine/verify/verify-source.js'
import type {NodeImage} from '../../names/crictl-images.js'
import {mapName} from '../../names/naming.js'
import type {ExitCode} from '../../report/exit-code.js'
import {connectionTo} from '../../run/connection.js'
import {openBundleSource, readToEnd} from '../../run/open-bundle-source.js'
import {openSource} from '../../run/open-source.js'
import {openTarget} from '../../run/open-target.js'
import {volumeFinder} from '../../run/prompt/find-volume.js'
import {runCommand} from '../../run/run-command.js'
import type {Work} from '../../run/work.js'
import type {Run} from '../../run/run.js'
import {flagReader, type FlagValues} from '../../settings/flag-values.js'
import {formatBytes} from '../../text/format-quantity.js'
import {readingBack} from './read-back.js'
import {verifyFlags} from './verify-flags.js'
import {readVerifySettings, type VerifySettings, type VerifyTarget} from './verify-settings.js'

/** Images whose referrers are looked for at once. */
const LOOKS_AT_ONCE = 16
/** Plain layers are never packed by a verification, so none is remembered. */
const NO_LAYERS = 0

/** Runs a verification to its exit code. */
export function runVerify(flags: FlagValues): Promise<ExitCode> {
  const {text, list} = flagReader(flags)
  return runCommand({
    command: {name: 'verify', flags: verifyFlags},
    flags,
    given: {
      source: text('source') ?? [...list('images'), ...list('crictl')].join(', '),
      target: text('private-registry') ?? '',
    },
    read: readVerifySettings,
    remembers: {layerFormat: NO_LAYERS, told: 'note'},
    bundles: ({from}) => ('bundle' in from ? [from.bundle] : []),
    work: verify,
  })
}

async function verify(settings: VerifySettings, run: Run): Promise<Work> {
  const {from, against, choice, concurrency, scratch, onePass, verifyKey} = settings
  for (const text of settings.warnings) run.warn(text)
  const signal = run.stop.soon
  const {onEvent} = run.renderer
  if (against === undefined) {
    if (!('bundle' in from)) throw new Error('a list is verified against a registry')
    const finder = volumeFinder(run, {signal})
    const bundle = await openBundleSource(run, {
      path: from.bundle,
      layerCompression: 'none',
      scratch,
      onePass,
      verifyKey,
      finder,
    })
    const {leftOut} = bundle.description
    const images = await verifySource(bundle, {choice, leftOut, concurrency, onEvent, signal})
    if (leftOut.length > 0) {
      const bytes = formatBytes(leftOut.reduce((sum, {size}) => sum + size, 0))
      run.note(
        `not checked: ${leftOut.length} blobs (${bytes}) that this delta bundle leaves to the registry`,
      )
    }
    await readToEnd(bundle, run, {isChecked: true})
    if (from.bundle !== '-' && images.every(({status}) => status === 'verified')) {
      const checksums = await checkBundle(from.bundle, {signal, locateVolume: finder()})
      if (checksums !== undefined) run.note(`${from.bundle} is as ${checksums} says`)
    }
    return {images}
  }
  const {registry} = against.rules
  const sink = await openTarget(run, {registry, settings: against.settings})
  await sink.ping({signal})
  const readBack = settings.deep ? await readBackFrom(against, run) : undefined
  const {platforms} = settings
  if ('locked' in from) {
    return verifyLocked(lockedAt(from.locked, against.rules), {
      sink,
      registry,
      platforms,
      concurrency,
      readBack,
      onEvent,
      signal,
    })
  }
  const {source, pairs, finish} = await expected(settings, {rules: against.rules, run})
  const verified = await verifyPairs(pairs, {
    source,
    sink,
    registry,
    sparse: settings.sparse,
    concurrency,
    readBack,
    onEvent,
    signal,
  })
  await finish?.()
  return verified
}

function lockedAt(images: readonly NodeImage[], rules: VerifyTarget['rules']): readonly Locked[] {
  return images.map(({reference, digests, parts}) => {
    const target = mapName({name: withoutDigest(reference), digest: reference.digest}, rules)
    return {digests, parts, target, label: labelOf(reference, target)}
  })
}

interface Expected {
  readonly source: ImageSource
  readonly pairs: readonly Pair[]
  /** To be called when the source was used. */
  readonly finish?: () => Promise<void>
}

/** The images that have to be there, with their names at the target. */
async function expected(
  {from, choice, platforms, scratch, onePass, verifyKey}: VerifySettings,
  {rules, run}: {readonly rules: VerifyTarget['rules']; readonly run: Run},
): Promise<Expected> {
  const signal = run.stop.soon
  if ('bundle' in from) {
    const path = from.bundle
    const source = await openBundleSource(run, {path, layerCompression: 'gzip', scratch, onePass, verifyKey})
    const pairs = await sourcePairs(source, {rules, choice, platforms, onWarning: run.warn, signal})
    return {source, pairs, finish: () => readToEnd(source, run)}
  }
  if ('locked' in from) throw new Error('locked images have no source')
  const {references, settings, mirrors} = from
  const source = await openSource(run, {
    repositories: references,
    settings,
    mirrors,
    referrers: choice.referrers,
  })
  const images = await source.imagesAt(references.map(withTag), {signal})
  const atOnce = pLimit(LOOKS_AT_ONCE)
  const referrers = await Promise.all(
    images.map((image) =>
      atOnce(() => ('manifest' in image.root ? source.referrersOf(image, {signal}) : [])),
    ),
  )
  const gathered = await gatherImages([...images, ...referrers.flat()], {source, signal})
  const pairs = await namePairs(gathered, {
    source,
    nameOf: byRules(rules),
    platforms,
    onLeftOut: (left) => run.warn(leftOutWarning(left, platforms)),
    signal,
  })
  return {source, pairs}
}

function withTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined
    ? {...reference, tag: 'latest'}
    : reference
}

/** A second connection to the private registry, that reads. */
async function readBackFrom(
  {rules, settings}: VerifyTarget,
  run: Run,
): Promise<ReturnType<typeof readingBack>> {
  const options = await connectionTo(rules.registry, {settings, side: 'target', run})
  const source = openRegistrySource({references: [], registryFor: () => options, referrers: false})
  run.keep(source, () => {
    const {requests, retries, downloaded} = source.usage
    return {requests, retries, bytes: {downloaded}}
  })
  return readingBack(source, {registry: rules.registry, onEvent: run.renderer.onEvent})
}
