import {openBundle, type BundleSource, type LayerCompression, type Unused} from '@airgap-mirror/bundle'
import type {CallOptions} from '@airgap-mirror/oci-client/model'
import type {Run} from './run.js'

export interface OpenBundleSourceOptions extends CallOptions {
  /** A file, a directory, or `-` for standard input. */
  readonly path: string
  readonly layerCompression: LayerCompression
  readonly scratch: {readonly directory: string} | 'never'
}

/**
 * A bundle to read images from, until the run ends.
 * @param options.signal ends the opening; absent: the run's
 * @throws {MirrorError} those of `openBundle`
 */
export async function openBundleSource(
  run: Run,
  {path, signal = run.stop.soon, ...options}: OpenBundleSourceOptions,
): Promise<BundleSource> {
  const bundle = await openBundle(path, {
    ...options,
    stdin: process.stdin,
    signal,
    indexCache: run.state?.indexes,
    onNote: run.note,
    onWarning: run.warn,
  })
  if (run.output.verbose) for (const part of bundle.unused) run.note(unusedLine(part))
  const unused = bundle.unused.map(({path: inside, size: bytes, reason}) => ({path: inside, bytes, reason}))
  return run.keep(bundle, () => ({bytes: bundle.usage, unused}))
}

function unusedLine({path, size, reason}: Unused): string {
  return `not used: ${path === '' ? 'the source' : path} (${size} bytes): ${reason}`
}
