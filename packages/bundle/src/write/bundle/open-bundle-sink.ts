import {mkdtemp} from 'node:fs/promises'
import {join} from 'node:path'
import {canEncodeXz} from '../../codecs/xz/lzma2-encoder.js'
import {checkArchivePath} from '../tar-store.js'
import {refused, writeFailed} from '../write-error.js'
import {BundleSink, type BundleOptions, type BundleOutput} from './bundle-sink.js'
import {PartialBundle} from './partial-bundle.js'
import {checkDirectoryPath} from './publish.js'

/** Options of `openBundleSink`: the compression, the names, and the place for blobs on their way. */
export interface OpenBundleSinkOptions extends BundleOptions {
  /** The directory that collects the blobs of a bundle for a stream. */
  readonly scratch: string
}

/**
 * Opens a sink for a new bundle. Opening writes nothing. The bundle gets its name, and replaces an older one, only when
 * `finish` has written all of it.
 * @throws {MirrorError} USAGE if the output is something else, or xz without an encoder; WRITE_FAILED
 */
export async function openBundleSink(
  output: BundleOutput,
  options: OpenBundleSinkOptions,
): Promise<BundleSink> {
  if (options.codec === 'xz' && !(await canEncodeXz()))
    throw refused('this machine has no encoder of xz', {kind: 'write-zstd'})
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

/** Returns the directory beside a bundle that collects its blobs. */
export function partialPath(path: string): string {
  return `${path.replace(/[/\\]+$/, '')}.partial`
}
