import {mkdtemp} from 'node:fs/promises'
import {join} from 'node:path'
import {checkArchivePath} from '../tar-store.js'
import {writeFailed} from '../write-error.js'
import {BundleSink, type BundleOptions, type BundleOutput} from './bundle-sink.js'
import {PartialBundle} from './partial-bundle.js'
import {checkDirectoryPath} from './publish.js'

export interface OpenBundleSinkOptions extends BundleOptions {
  /** Where blobs of a bundle that goes to a stream are collected. */
  readonly scratch: string
}

/**
 * A sink for a new bundle. Nothing is written by opening it, and nothing under its name before `finish` has all of it; then a
 * bundle that was there is replaced.
 * @throws {MirrorError} USAGE for an output that is something else, SOURCE_UNSUPPORTED, WRITE_FAILED
 */
export async function openBundleSink(
  output: BundleOutput,
  options: OpenBundleSinkOptions,
): Promise<BundleSink> {
  if (output.kind === 'stream') {
    const path = await mkdtemp(join(options.scratch, 'mirror-save-')).catch((cause: unknown) => {
      throw writeFailed(options.scratch, cause)
    })
    return new BundleSink(output, await PartialBundle.open(path), options)
  }
  if (output.kind === 'directory') await checkDirectoryPath(output.path)
  else await checkArchivePath(output.path)
  return new BundleSink(output, await PartialBundle.open(partialPath(output.path)), options)
}

/** The directory beside a bundle in which its blobs are collected. */
export function partialPath(path: string): string {
  return `${path.replace(/[/\\]+$/, '')}.partial`
}
