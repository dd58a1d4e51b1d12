import {readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import type {Writable} from 'node:stream'
import {
  algorithmOf,
  digestOf,
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
import {blobPath} from '../../contents/blob-path.js'
import {formatAbsentContent} from '../../contents/absent-content.js'
import {writeVolumes} from './volume-writer.js'
import type {FileSink} from '../file-sink.js'
import type {SignatureKey} from '../../signature/keys.js'
import {ofBytes} from '../write-at.js'
import {requireSpace} from '../target-space.js'
import {writeFailed} from '../write-error.js'
import {arrange, contentBytes, type BundleContents, type BundleEntry} from './bundle-contents.js'
import {leadingFiles} from './bundle-index.js'
import {bundleTar} from './bundle-tar.js'
import type {PartialBundle} from './partial-bundle.js'
import {publishDirectory, publishFiles, type PublishedBundle} from './publish.js'
import {writeToStream} from './write-to-stream.js'

export interface BundleOptions {
  readonly codec: BundleCodec
  /** The most blocks packed at once. Default: the number of processors, at most as many as 256 MiB allow: two with xz, else four. */
  readonly threads?: number
  /** The most bytes of a file; a larger bundle is split into volumes. */
  readonly maxSize?: number
  /** Blobs that the far side has. */
  readonly leaveOut?: ReadonlySet<Digest>
  /** The key that signs the checksum file. */
  readonly signKey?: SignatureKey
  /** Adds docker's manifest.json. */
  readonly dockerCompatible?: boolean
  /** Returns the name under which the bundle lists a manifest; undefined if it belongs to another manifest. */
  readonly nameOf: (target: Reference) => Reference | undefined
}

/** The target of a bundle. `directory`: an unpacked layout. */
export type BundleOutput =
  | {readonly kind: 'file' | 'directory'; readonly path: string}
  | {readonly kind: 'stream'; readonly stream: Writable}

/** The result of writing a bundle. */
export interface WrittenBundle {
  readonly contents: BundleContents
  /** Absent for a directory and a stream. */
  readonly published?: PublishedBundle
}

/**
 * A new bundle. Blobs are collected beside it, or in scratch for a stream. `finish` orders and writes the content, then
 * gives the bundle its name.
 */
export class BundleSink implements FileSink {
  readonly #output: BundleOutput
  readonly #partial: PartialBundle
  readonly #options: BundleOptions
  readonly #manifests = new Map<Digest, Manifest>()
  readonly #images: BundleEntry[] = []
  /** Blobs verified when this run wrote them. */
  readonly #proven = new Set<Digest>()
  #written: WrittenBundle | undefined

  constructor(output: BundleOutput, partial: PartialBundle, options: BundleOptions) {
    this.#output = output
    this.#partial = partial
    this.#options = options
  }

  /** Set after `finish`; undefined if there was nothing to write. */
  get written(): WrittenBundle | undefined {
    return this.#written
  }

  /** Returns undefined always, because a bundle is never extended. */
  async resolve(): Promise<undefined> {}

  async manifest(): Promise<undefined> {}

  async hasBlob(_repository: string, digest: Digest): Promise<boolean> {
    return this.#isLeftOut(digest) || (await this.#partial.sizeOf(digest)) !== undefined
  }

  /**
   * Locks out other runs, and fails if these blobs and the bundle made of them do not fit. Call it before the first blob.
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
      // A half-written bundle would take space from the next run if the disk is full.
      await rm(join(this.#partial.path, VOLUMES), {recursive: true, force: true})
      throw error
    } finally {
      await packer.close()
    }
  }

  async *#opened(blob: Descriptor, options: CallOptions): Bytes {
    // A blob of an earlier run may be damaged by now, so it is verified first. The reader verifies the bytes below.
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
    const sums = await this.#sumsOf(contents, {leading, signal})
    await this.#partial.release()
    await publishDirectory(path, this.#partial.path, {sums, signKey: this.#options.signKey})
    return {contents}
  }

  /** Returns SHA-256 in hex by path. That of a blob is its name, unless the name is of another algorithm. */
  async #sumsOf(
    {blobs}: BundleContents,
    {leading, signal}: CallOptions & {readonly leading: ReadonlyMap<string, Uint8Array>},
  ): Promise<ReadonlyMap<string, string>> {
    const sums = new Map<string, string>()
    for (const [file, bytes] of leading) sums.set(file, hexOf(digestOf(bytes)))
    for (const blob of blobs) {
      const isNamed = algorithmOf(blob.digest) === 'sha256'
      sums.set(blobPath(blob), isNamed ? hexOf(blob.digest) : await this.#partial.sha256Of(blob, {signal}))
    }
    return sums
  }
}

const VOLUMES = 'volumes'

function namesIn(files: ReadonlyMap<string, Uint8Array>): readonly string[] {
  return [...files.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1))
}

/** Removes blobs of an earlier run that wanted other images. */
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
