import {readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import type {Writable} from 'node:stream'
import {
  hexOf,
  isMirrorError,
  type BlobOutcome,
  type BlobSource,
  type Bytes,
  type CallOptions,
  type Descriptor,
  type Digest,
  type Manifest,
  type PutBlobOptions,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {createBundlePacker, type BundleCodec} from '../../compress/bundle-packer.js'
import {formatAbsentContent} from '../../contents/absent-content.js'
import {writeVolumes} from './volume-writer.js'
import type {FileSink} from '../file-sink.js'
import type {SignatureKey} from '../../signature/keys.js'
import {ofBytes} from '../write-at.js'
import {writeFailed} from '../write-error.js'
import {arrange, contentBytes, type BundleContents, type BundleEntry} from './bundle-contents.js'
import {leadingFiles} from './bundle-index.js'
import {bundleTar} from './bundle-tar.js'
import {requireSpace} from './free-space.js'
import type {PartialBundle} from './partial-bundle.js'
import {publishDirectory, publishFiles, type PublishedBundle} from './publish.js'
import {writeToStream} from './write-to-stream.js'

export interface BundleOptions {
  readonly codec: BundleCodec
  /** Threads that pack. Default: the processors there are. */
  readonly threads?: number | undefined
  /** Bytes of a file at most; the bundle becomes several. */
  readonly maxSize?: number | undefined
  /** Blobs that the far side has. */
  readonly leaveOut?: ReadonlySet<Digest> | undefined
  /** Signs the checksums. */
  readonly signKey?: SignatureKey | undefined
  /** Adds docker's manifest.json. */
  readonly dockerCompatible?: boolean | undefined
  /** The name under which the bundle lists a manifest; undefined where it belongs to another. */
  readonly nameOf: (target: Reference) => Reference | undefined
}

/** Where a bundle goes. `directory`: as a layout that is not packed. */
export type BundleOutput =
  | {readonly kind: 'file' | 'directory'; readonly path: string}
  | {readonly kind: 'stream'; readonly stream: Writable}

/** What became of a bundle. */
export interface WrittenBundle {
  readonly contents: BundleContents
  /** Absent for a directory and a stream. */
  readonly published?: PublishedBundle
}

/**
 * A new bundle. Blobs are collected beside it, or in scratch space for a stream; `finish` puts all in order, writes it and gives
 * it its name.
 */
export class BundleSink implements FileSink {
  readonly #output: BundleOutput
  readonly #partial: PartialBundle
  readonly #options: BundleOptions
  readonly #manifests = new Map<Digest, Manifest>()
  readonly #images: BundleEntry[] = []
  /** Blobs that were verified on their way into this run's directory. */
  readonly #proven = new Set<Digest>()
  #written: WrittenBundle | undefined

  constructor(output: BundleOutput, partial: PartialBundle, options: BundleOptions) {
    this.#output = output
    this.#partial = partial
    this.#options = options
  }

  /** Once `finish` has ended; undefined if there was nothing to write. */
  get written(): WrittenBundle | undefined {
    return this.#written
  }

  /** A bundle is always made anew. */
  async resolve(): Promise<undefined> {}

  async manifest(): Promise<undefined> {}

  async hasBlob(_repository: string, digest: Digest): Promise<boolean> {
    return this.#isLeftOut(digest) || (await this.#partial.sizeOf(digest)) !== undefined
  }

  /**
   * Keeps other runs out, and fails if there is no room for these blobs and the bundle made of them. To be called before the
   * first blob.
   * @throws {MirrorError} STATE_LOCKED, WRITE_FAILED
   */
  async reserve(blobs: readonly Descriptor[]): Promise<void> {
    await this.#partial.claim()
    let needed = 0
    for (const blob of new Map(blobs.map((each) => [each.digest, each] as const)).values()) {
      if (this.#isLeftOut(blob.digest)) continue
      if ((await this.#partial.sizeOf(blob.digest)) !== blob.size) needed += blob.size
      if (this.#output.kind === 'file') needed += blob.size
    }
    await requireSpace(this.#partial.path, needed)
  }

  async putBlob(repository: string, blob: BlobSource, options: PutBlobOptions = {}): Promise<BlobOutcome> {
    if ('digest' in blob.content && this.#isLeftOut(blob.content.digest)) {
      return {how: 'present', descriptor: blob.content}
    }
    const outcome = await this.#partial.sink.putBlob(repository, blob, options)
    if (outcome.how === 'uploaded') this.#proven.add(outcome.descriptor.digest)
    return outcome
  }

  async putManifest(target: Reference, manifest: Manifest): Promise<void> {
    this.#manifests.set(manifest.descriptor.digest, manifest)
    const name = this.#options.nameOf(target)
    if (name !== undefined) this.#images.push({manifest, name})
    else if (manifest.subject !== undefined) this.#images.push({manifest})
  }

  async finish(options: CallOptions = {}): Promise<void> {
    if (this.#images.length === 0) return
    await this.#partial.claim()
    const {leaveOut = new Set()} = this.#options
    const contents = arrange(this.#images, {manifests: this.#manifests, leaveOut})
    this.#written =
      this.#output.kind === 'directory'
        ? await this.#finishDirectory(this.#output.path, contents, options)
        : await this.#finishArchive(contents, options)
    await this.#partial.remove()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#partial.sink[Symbol.asyncDispose]()
    if (this.#output.kind === 'stream') await this.#partial.remove()
    else await this.#partial.release()
  }

  #isLeftOut(digest: Digest): boolean {
    return this.#options.leaveOut?.has(digest) === true
  }

  #leading(contents: BundleContents): ReadonlyMap<string, Uint8Array> {
    const {dockerCompatible: docker, leaveOut} = this.#options
    const delta = leaveOut === undefined ? undefined : formatAbsentContent(contents.absent)
    return leadingFiles(contents, {delta, docker})
  }

  async #finishArchive(contents: BundleContents, {signal}: CallOptions): Promise<WrittenBundle> {
    const {codec, threads, maxSize = Infinity, signKey} = this.#options
    if (this.#output.kind === 'file') await requireSpace(this.#partial.path, contentBytes(contents))
    const packer = createBundlePacker(codec, {threads})
    try {
      const open = (blob: Descriptor): Bytes => this.#opened(blob, {signal})
      const tar = bundleTar({leading: this.#leading(contents), blobs: contents.blobs, open})
      const bytes = packer.pack(tar, {signal})
      if (this.#output.kind === 'stream') {
        await writeToStream(this.#output.stream, bytes)
        return {contents}
      }
      const directory = await this.#partial.emptyDirectory(VOLUMES)
      const volumes = await writeVolumes(bytes, {directory, maxSize, signal})
      return {contents, published: await publishFiles(this.#output.path, volumes, {signKey})}
    } catch (error) {
      // What is half-written would be in the way of the next run if the disk is full.
      await rm(join(this.#partial.path, VOLUMES), {recursive: true, force: true})
      throw error
    } finally {
      await packer.close()
    }
  }

  async *#opened(blob: Descriptor, options: CallOptions): Bytes {
    // One that was there before this run may have suffered since; what is read below is held to its digest by the reader.
    if (!this.#proven.has(blob.digest)) await this.#partial.prove(blob, options)
    yield* this.#partial.read(blob, options)
  }

  async #finishDirectory(
    path: string,
    contents: BundleContents,
    {signal}: CallOptions,
  ): Promise<WrittenBundle> {
    for (const blob of contents.blobs) {
      if (!this.#proven.has(blob.digest)) await this.#partial.prove(blob, {signal})
    }
    const leading = this.#leading(contents)
    for (const [file, bytes] of leading) await this.#partial.store.write(file, ofBytes(bytes), {signal})
    const wanted = new Set([...contents.blobs.map(({digest}) => hexOf(digest)), ...namesIn(leading)])
    await this.#partial.sink[Symbol.asyncDispose]()
    await removeUnwanted(join(this.#partial.path, 'blobs'), wanted)
    await this.#partial.release()
    await publishDirectory(path, this.#partial.path)
    return {contents}
  }
}

const VOLUMES = 'volumes'

function namesIn(files: ReadonlyMap<string, Uint8Array>): readonly string[] {
  return [...files.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1))
}

/** Blobs of an earlier run that wanted other images. */
async function removeUnwanted(blobs: string, wanted: ReadonlySet<string>): Promise<void> {
  try {
    for (const entry of await readdir(blobs, {recursive: true, withFileTypes: true})) {
      if (entry.isFile() && !wanted.has(entry.name)) await rm(join(entry.parentPath, entry.name))
    }
  } catch (cause) {
    if (isMirrorError(cause)) throw cause
    throw writeFailed(blobs, cause)
  }
}
