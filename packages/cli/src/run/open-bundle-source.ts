import {
  openBundle,
  verifyBundle,
  type BundleSource,
  type LayerCompression,
  type OpenBundleOptions,
  type SignatureKey,
  type Unused,
} from '@airgap-mirror/bundle'
import {inSpan, isMirrorError, type CallOptions} from '@airgap-mirror/oci-client/model'
import {fileOnStandardInput} from './file-on-standard-input.js'
import {volumeFinder} from './prompt/find-volume.js'
import type {Run} from './run.js'

export interface OpenBundleSourceOptions
  extends CallOptions, Pick<OpenBundleOptions, 'contentFollows' | 'requireImages' | 'readOften'> {
  /** A file, a directory, or `-` for standard input. */
  readonly path: string
  readonly layerCompression: LayerCompression
  readonly scratch: NonNullable<OpenBundleOptions['scratch']>
  /** True: standard input is read in one pass if it can be. Then transfers must follow its order. */
  readonly onePass?: boolean
  /** The bundle is refused unless its signature holds with this key. */
  readonly verifyKey?: SignatureKey
  /** Finds volumes that are elsewhere; absent: a finder of its own. Shared by those that read the bundle again. */
  readonly finder?: ReturnType<typeof volumeFinder>
}

/**
 * A bundle to read images from, until the run ends. A person at the terminal is asked for volumes that are elsewhere.
 * @param options.signal ends the opening; absent: the run's
 * @throws {MirrorError} the errors of `verifyBundle` and `openBundle`
 */
export async function openBundleSource(
  run: Run,
  {
    path: given,
    signal = run.stop.soon,
    verifyKey: key,
    finder = volumeFinder(run, {signal}),
    ...options
  }: OpenBundleSourceOptions,
): Promise<BundleSource> {
  const file = given === '-' ? await fileOnStandardInput() : undefined
  if (file !== undefined) run.note(`standard input is the file ${file}`)
  const path = file ?? given
  if (key !== undefined) {
    const signature = await verifyBundle(path, {key, signal, locateVolume: finder()})
    run.note(`${signature} is a signature of ${path} by the given key`)
  }
  let opened: BundleSource | undefined
  const opening: OpenBundleOptions = {
    ...options,
    stdin: process.stdin,
    signal,
    locateVolume: finder(),
    indexCache: run.state?.indexes,
    onNote: run.note,
    onWarning: run.warn,
    onReading: (bytes, total) => {
      // Later only a source that is read from its start to its end makes the run wait for its reading.
      if (opened !== undefined && opened.access === 'random') return
      run.renderer.onEvent({type: 'reading', bytes, total})
    },
  }
  const bundle = await inSpan(
    () => ({kind: 'step', name: 'open the bundle'}),
    () => openBundle(path, opening),
  )
  opened = bundle
  if (run.output.verbose) for (const part of bundle.unused) run.note(unusedLine(part))
  const unused = bundle.unused.map(({path: inside, size: bytes, reason}) => ({path: inside, bytes, reason}))
  return run.keep(bundle, () => ({bytes: bundle.usage, unused}))
}

/**
 * Reads a bundle that was read in one pass to the end of standard input, so that the program that writes it ends well. The
 * images are done by then, so an error of the rest is a warning unless the bundle itself is what is checked.
 */
export async function readToEnd(
  bundle: BundleSource,
  {stop, warn}: Run,
  {isChecked = false}: {readonly isChecked?: boolean} = {},
): Promise<void> {
  if (stop.soon.aborted) return
  try {
    const {files = 0, strayBytes = 0} = (await bundle.readToEnd({signal: stop.soon})) ?? {}
    if (files > 0) warn(`standard input has ${files} files that belong to no image; they are not read`)
    if (strayBytes > 0) {
      warn(`${strayBytes} bytes lie behind the end of the bundle on standard input; they are not read`)
    }
  } catch (error) {
    if (!isMirrorError(error) || isChecked) throw error
    if (error.code !== 'CANCELLED') warn(`after the images, ${error.message}`)
  }
}

function unusedLine({path, size, reason}: Unused): string {
  return `not used: ${path === '' ? 'the source' : path} (${size} bytes): ${reason}`
}
