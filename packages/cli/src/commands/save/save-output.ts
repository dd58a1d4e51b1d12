import {basename} from 'node:path'
import type {BundleCodec} from '@airgap-mirror/bundle'
import {MirrorError} from '@airgap-mirror/oci-client/model'

/** The place of a bundle and its compression. */
export interface SaveOutput {
  readonly kind: 'file' | 'directory' | 'stream'
  /** `-` for standard output. */
  readonly path: string
  readonly codec: BundleCodec
}

const ENDINGS: readonly (readonly [ending: RegExp, codec: BundleCodec])[] = [
  [/\.(?:tar\.xz|txz)$/i, 'xz'],
  [/\.(?:tar\.zst|tar\.zstd|tzst)$/i, 'zstd'],
  [/\.(?:tar\.gz|tgz)$/i, 'gzip'],
  [/\.tar$/i, 'plain'],
]

/** A name that looks like an archive, and like none that is written. */
const OTHER_ARCHIVE = /\.(?:tar\.[a-z0-9]+|zip|7z|rar|xz|gz|zst|bz2|tbz2?|lz4)$/i

/** `sha256sum` writes such names in a form of its own. */
const NOT_LISTED = /[\\\r\n]/

/**
 * Reads the value of `--output`. Its ending says how the bundle is packed; a name without an ending is a directory.
 * @throws {MirrorError} USAGE for the ending of another archive, and for a name that a checksum file cannot have
 */
export function parseSaveOutput(path: string): SaveOutput {
  if (path === '') throw new MirrorError('USAGE', '--output is empty', {side: 'target'})
  if (path === '-') return {kind: 'stream', path, codec: 'plain'}
  if (NOT_LISTED.test(basename(path))) {
    const what = 'has a backslash or a line break, which its checksum file cannot name'
    throw new MirrorError('USAGE', `--output ${JSON.stringify(path)} ${what}`, {
      side: 'target',
      hint: 'Choose another name.',
    })
  }
  const codec = /[/\\]$/.test(path) ? undefined : ENDINGS.find(([ending]) => ending.test(path))?.[1]
  if (codec !== undefined) return {kind: 'file', path, codec}
  if (OTHER_ARCHIVE.test(path)) {
    throw new MirrorError('USAGE', `--output ${JSON.stringify(path)} names an archive that is not written`, {
      side: 'target',
      hint: 'End the name in .tar, .tar.gz, .tar.zst or .tar.xz, or name a directory.',
    })
  }
  return {kind: 'directory', path: path.replace(/(?<=.)[/\\]+$/, ''), codec: 'plain'}
}
