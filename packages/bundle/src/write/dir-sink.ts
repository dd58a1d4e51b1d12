import {readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {
  hexOf,
  isIndexType,
  isManifestType,
  isPending,
  limits,
  parseManifest,
  isMirrorError,
  type BlobOutcome,
  type BlobSource,
  type CallOptions,
  type Descriptor,
  type Digest,
  type Manifest,
  type PutBlobOptions,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {DirectoryStore} from './directory-store.js'
import type {FileSink} from './file-sink.js'
import {incomingBlob} from './incoming-blob.js'
import {isComplete, storedManifest} from './stored-image.js'
import {ofBytes} from './write-at.js'
import {writeFailed} from './write-error.js'

const ROOT = 'manifest.json'
export const VERSION = 'version'
export const VERSION_TEXT = 'Directory Transport Version: '
/** Names of the other files that skopeo and this program write into such a directory. */
const CONTENT_NAME =
  /^(?:[0-9a-f]{64}|[0-9a-f]{128})(?:\.manifest\.json|\.tar|\.signature-\d+)?$|^signature-\d+$/

/**
 * Writes skopeo's `dir:`: a single image without a name. `manifest.json` is its root; blobs are named by their hex
 * digest, and child manifests of an index have `.manifest.json` appended. An older image is replaced and stays whole
 * until then.
 */
export class DirSink implements FileSink {
  readonly #store: DirectoryStore
  /** Names of the files of the new image. */
  readonly #names = new Set<string>()
  #root: Manifest | undefined
  #marked: Promise<void> | undefined

  constructor(path: string) {
    this.#store = new DirectoryStore(path)
  }

  async resolve(target: Reference, options: CallOptions = {}): Promise<Descriptor | undefined> {
    const manifest = await this.manifest(target, options)
    if (manifest === undefined || !(await isComplete(manifest, {...options, ...this.#stored})))
      return undefined
    return manifest.descriptor
  }

  async manifest({tag, digest}: Reference, options: CallOptions = {}): Promise<Manifest | undefined> {
    if (tag === undefined && digest !== undefined) {
      return storedManifest({digest, mediaType: CHILD}, {...options, ...this.#stored})
    }
    try {
      const bytes = await this.#store.read(ROOT, {limit: limits.manifestBytes})
      return bytes === undefined ? undefined : parseManifest(bytes)
    } catch (error) {
      if (isMirrorError(error) && error.code !== 'WRITE_FAILED') return undefined
      throw error
    }
  }

  async hasBlob(_repository: string, digest: Digest): Promise<boolean> {
    return await this.#store.holds(hexOf(digest), {digest})
  }

  async putBlob(_repository: string, blob: BlobSource, options: PutBlobOptions = {}): Promise<BlobOutcome> {
    const {content} = blob
    const {signal} = options
    if (!isPending(content)) {
      this.#names.add(hexOf(content.digest))
      if (await this.#store.holds(hexOf(content.digest), content))
        return {how: 'present', descriptor: content}
    }
    await this.#mark()
    const {bytes, descriptor} = incomingBlob(blob, options)
    const place = async (): Promise<string> => {
      const made = descriptor()
      if (isPending(content)) await options.onFinal?.(made)
      this.#names.add(hexOf(made.digest))
      return hexOf(made.digest)
    }
    await this.#store.writeUnnamed(bytes, {place, signal})
    return {how: 'uploaded', descriptor: descriptor(), sent: descriptor().size, attempts: 1}
  }

  async putManifest(target: Reference, manifest: Manifest, options: CallOptions = {}): Promise<void> {
    const {descriptor, bytes} = manifest
    await this.#mark()
    if (target.tag !== undefined) {
      this.#root = manifest
      return
    }
    const path = pathOf(descriptor)
    this.#names.add(path)
    if (!(await this.#store.holds(path, descriptor))) await this.#store.write(path, ofBytes(bytes), options)
  }

  async finish(options: CallOptions = {}): Promise<void> {
    if (this.#root === undefined) return
    await this.#store.finish(new Map([[ROOT, this.#root.bytes]]), options)
    try {
      for (const entry of await readdir(this.#store.path, {withFileTypes: true})) {
        const {name} = entry
        // A directory of such a name was not written by this program.
        if (entry.isDirectory() || !CONTENT_NAME.test(name) || this.#names.has(name)) continue
        await rm(join(this.#store.path, name))
      }
    } catch (cause) {
      throw writeFailed(this.#store.path, cause)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close()
  }

  get #stored(): {readonly store: DirectoryStore; readonly pathOf: typeof pathOf} {
    return {store: this.#store, pathOf}
  }

  /** Written first, so that the files of an interrupted run are recognised. */
  #mark(): Promise<void> {
    this.#marked ??= this.#writeVersion()
    return this.#marked
  }

  async #writeVersion(): Promise<void> {
    if ((await this.#store.sizeOf(VERSION)) !== undefined) return
    await this.#store.write(VERSION, ofBytes(Buffer.from(`${VERSION_TEXT}1.1\n`)), {})
  }
}

const CHILD = 'application/vnd.oci.image.manifest.v1+json'

function pathOf({digest, mediaType}: Pick<Descriptor, 'digest' | 'mediaType'>): string {
  return isManifestType(mediaType) || isIndexType(mediaType)
    ? `${hexOf(digest)}.manifest.json`
    : hexOf(digest)
}
