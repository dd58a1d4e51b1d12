import {
  isPending,
  parseDescriptor,
  type BlobOutcome,
  type BlobSource,
  type CallOptions,
  type Descriptor,
  type Digest,
  type Manifest,
  type PutBlobOptions,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import type {ContentStore} from './content-store.js'
import type {FileSink} from './file-sink.js'
import {incomingBlob} from './incoming-blob.js'
import {blobPath} from '../contents/blob-path.js'
import {INDEX, markLayout, readLayoutIndex} from './layout-files.js'
import {findEntry, layoutIndexBytes, withEntries, type LayoutEntry} from './layout-index.js'
import {isComplete, storedManifest} from './stored-image.js'
import {ofBytes} from './write-at.js'

export interface LayoutSinkOptions {
  /**
   * Returns the annotations of the image's entry in index.json, by which it is found again; empty for no name. Undefined
   * for no entry, because it belongs to another image. A manifest with a `subject` always gets an entry.
   */
  readonly annotations: (target: Reference) => Readonly<Record<string, string>> | undefined
}

/** Writes an OCI image layout (image-spec image-layout.md) into any store. Existing images stay. */
export class LayoutSink implements FileSink {
  readonly #store: ContentStore
  readonly #options: LayoutSinkOptions
  readonly #entries: LayoutEntry[] = []
  #marked: Promise<void> | undefined

  constructor(store: ContentStore, options: LayoutSinkOptions) {
    this.#store = store
    this.#options = options
  }

  async resolve(target: Reference, options: CallOptions = {}): Promise<Descriptor | undefined> {
    const manifest = await this.manifest(target, options)
    if (manifest === undefined || !(await isComplete(manifest, {...options, ...this.#stored})))
      return undefined
    return manifest.descriptor
  }

  async manifest(target: Reference, options: CallOptions = {}): Promise<Manifest | undefined> {
    const {tag, digest} = target
    if (tag === undefined && digest !== undefined) {
      return storedManifest({digest, mediaType: ''}, {...options, ...this.#stored})
    }
    const annotations = this.#options.annotations(target)
    const entry =
      annotations === undefined
        ? undefined
        : findEntry(await readLayoutIndex(this.#store, options), annotations)
    if (entry === undefined) return undefined
    return storedManifest(parseDescriptor(entry, INDEX), {...options, ...this.#stored})
  }

  async hasBlob(_repository: string, digest: Digest): Promise<boolean> {
    return await this.#store.holds(blobPath({digest}), {digest})
  }

  async putBlob(_repository: string, blob: BlobSource, options: PutBlobOptions = {}): Promise<BlobOutcome> {
    const {content} = blob
    if (!isPending(content) && (await this.#store.holds(blobPath(content), content)))
      return {how: 'present', descriptor: content}
    const {bytes, descriptor} = incomingBlob(blob, options)
    const {signal} = options
    await this.#mark()
    if (isPending(content)) {
      let isThere = false
      const place = async (): Promise<string | undefined> => {
        const made = descriptor()
        await options.onFinal?.(made)
        isThere = await this.#store.holds(blobPath(made), made)
        return isThere ? undefined : blobPath(made)
      }
      await this.#store.writeUnnamed(bytes, {place, signal})
      if (isThere) return {how: 'present', descriptor: descriptor()}
    } else {
      await this.#store.write(blobPath(content), bytes, {size: content.size, signal})
    }
    return {how: 'uploaded', descriptor: descriptor(), sent: descriptor().size, attempts: 1}
  }

  async putManifest(target: Reference, manifest: Manifest, options: CallOptions = {}): Promise<void> {
    const {descriptor, bytes} = manifest
    const path = blobPath(descriptor)
    await this.#mark()
    if (!(await this.#store.holds(path, descriptor)))
      await this.#store.write(path, ofBytes(bytes), {size: bytes.length, signal: options.signal})
    const annotations = this.#options.annotations(target) ?? (manifest.subject === undefined ? undefined : {})
    if (annotations === undefined) return
    const {artifactType} = manifest
    this.#entries.push({
      descriptor: artifactType === undefined ? descriptor : {...descriptor, artifactType},
      annotations,
    })
  }

  async finish(options: CallOptions = {}): Promise<void> {
    if (this.#entries.length === 0) return
    // Read again, because another program may have added an image meanwhile.
    const index = withEntries(await readLayoutIndex(this.#store, options), this.#entries)
    await this.#store.finish(new Map([[INDEX, layoutIndexBytes(index)]]), options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close()
  }

  get #stored(): {readonly store: ContentStore; readonly pathOf: typeof blobPath} {
    return {store: this.#store, pathOf: blobPath}
  }

  /** Written first, so that the files of an interrupted run are recognised. */
  #mark(): Promise<void> {
    this.#marked ??= markLayout(this.#store)
    return this.#marked
  }
}
