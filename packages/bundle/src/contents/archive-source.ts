import {
  contentKey,
  isPending,
  type CallOptions,
  type Content,
  type Descriptor,
  type ImageSource,
  type Manifest,
  type MirrorError,
  type ReadUsage,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {Packing} from '../bytes/packing.js'
import type {CompressLayer} from '../compress/compress.js'
import type {Unused, StoredFile} from '../files/file-tree.js'
import type {ContentKind} from '../files/sniff.js'
import {pendingBlob, storedBlob, type HeldBlob} from './blob-content.js'
import {findBlob, type ContentTable} from './content-table.js'
import {readManifest} from './read-manifest.js'
import {missing, refuseWrongSize} from './verified-file.js'

/** An outermost entry of a bundle; `kind` is the kind of its content, if its first bytes were read. */
export interface OuterEntry {
  readonly path: string
  readonly size: number
  readonly kind: Exclude<ContentKind, 'other'> | 'file' | 'directory' | 'link'
}

/** The form of a bundle and what was found in it. Its images are those of `BundleSource.images`. */
export interface BundleDescription {
  readonly kind: 'file' | 'volumes' | 'stream' | 'directory'
  /** Bytes of the files as they are stored; undefined for a stream. */
  readonly size: number | undefined
  /** Bytes of the archive without its compression; of a directory, of its files. */
  readonly plainSize: number
  readonly volumes: readonly {readonly name: string; readonly size: number}[]
  /** Undefined if it is not compressed. */
  readonly packing: Packing | undefined
  /** The format of the images; `nested` for an archive or a directory of several. */
  readonly format: string
  readonly parts: readonly {
    /** The path inside the bundle; empty for the bundle itself. */
    readonly path: string
    readonly format: string
    /** The tool that wrote it, by its traces; undefined if several may have. */
    readonly producer: string | undefined
    readonly images: number
  }[]
  /** The first entries of the bundle itself, not of archives inside it. */
  readonly outerEntries: readonly OuterEntry[]
  readonly outerEntryCount: number
  /** Blobs that a delta bundle does not hold, since the far side has them. */
  readonly leftOut: readonly Descriptor[]
  /** Why nothing can be done with it; only if images were not required. */
  readonly refusal: MirrorError | undefined
}

/** An open bundle. Dispose of it to close its files and threads, and to remove its scratch. */
export interface BundleSource extends ImageSource {
  readonly usage: ReadUsage
  blob(content: Content): HeldBlob
  /** The formats found in the bundle, and their places. */
  readonly description: BundleDescription
  /** Every unused part of the bundle. */
  readonly unused: readonly Unused[]
  /**
   * Reads a stream that was opened for one pass to its end. Other bundles have no such end.
   * @throws {MirrorError} the stream's errors, CANCELLED
   */
  readToEnd(options?: CallOptions): Promise<Leftovers | undefined>
}

/** Content of a stream that no image needs. */
export interface Leftovers {
  /** Files that belong to no image. */
  readonly files: number
  /** Bytes other than zero behind the end of the archive. */
  readonly strayBytes: number
}

export interface ArchiveContent {
  readonly images: readonly SourceImage[]
  readonly table: ContentTable
  readonly description: BundleDescription
  readonly unused: readonly Unused[]
  /** The archives that stay open as long as the source. */
  readonly archives: AsyncDisposable & {
    readonly access: 'random' | 'blocks' | 'in-order'
    readonly usage: ReadUsage
    readToEnd?: (options?: CallOptions) => Promise<Leftovers>
  }
  readonly compressor: {readonly compress: CompressLayer; close(): Promise<void>}
}

/** A bundle of any format, as images and a table of contents. */
export class ArchiveSource implements BundleSource {
  readonly #content: ArchiveContent
  #disposed: Promise<void> | undefined

  constructor(content: ArchiveContent) {
    this.#content = content
  }

  get access(): 'random' | 'blocks' | 'in-order' {
    return this.#content.archives.access
  }

  get usage(): ReadUsage {
    return this.#content.archives.usage
  }

  async images(): Promise<readonly SourceImage[]> {
    return this.#content.images
  }

  manifest(descriptor: Descriptor, options: CallOptions = {}): Promise<Manifest> {
    return readManifest(this.#content.table, descriptor, options)
  }

  has(content: Content): boolean {
    return this.#find(content) !== undefined
  }

  blob(content: Content): HeldBlob {
    const {table, compressor} = this.#content
    const file = this.#find(content)
    if (file === undefined) {
      const digest = contentKey(content)
      throw missing(table, {digest, what: `blob ${digest}`})
    }
    if (!isPending(content)) {
      refuseWrongSize(file, content)
      return storedBlob(content, file)
    }
    return pendingBlob(content, {file, compress: compressor.compress})
  }

  get description(): BundleDescription {
    return this.#content.description
  }

  get unused(): readonly Unused[] {
    return this.#content.unused
  }

  async readToEnd(options: CallOptions = {}): Promise<Leftovers | undefined> {
    return this.#content.archives.readToEnd?.(options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose()
    await this.#disposed
  }

  async #dispose(): Promise<void> {
    await this.#content.compressor.close()
    await this.#content.archives[Symbol.asyncDispose]()
  }

  #find(content: Content): StoredFile | undefined {
    const {table} = this.#content
    return isPending(content) ? table.layers.get(content.diffId) : findBlob(table, content.digest)
  }
}
