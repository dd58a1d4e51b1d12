import type {IncomingHttpHeaders} from 'node:http'
import type {Digest, DigestAlgorithm} from '@airgap-mirror/oci-client/model'
import type {BlobWriter} from './blob-writer.js'
import type {Contents} from './contents.js'
import type {Range} from './range.js'
import type {ReadOptions} from './reply.js'
import type {Target} from './route.js'
import type {UploadSession} from './upload-session.js'

type Awaitable<Value> = Value | Promise<Value>

/** A request, once its sender may make it. */
export interface Exchange {
  readonly route: Target
  readonly headers: IncomingHttpHeaders
  /** Read once at most. Throws if the client goes away before its end. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface StoredManifest {
  readonly mediaType: string
  readonly digest: Digest
  readonly bytes: Uint8Array
}

export interface StoredBlob {
  readonly size: number
  read(range: Range, options: ReadOptions): AsyncIterable<Uint8Array>
}

/** A repository as its readers see it. */
export interface ReadableRepository {
  tags(): Iterable<string>
  /** The digest that a tag points at. */
  resolve(tag: string): Digest | undefined
  manifest(digest: Digest): Awaitable<StoredManifest | undefined>
  /** The manifests whose subject this digest is. */
  referrers(subject: Digest): Awaitable<Iterable<StoredManifest>>
  blob(digest: Digest): Awaitable<StoredBlob | undefined>
}

/** A manifest that was read and checked by itself, not yet against the repository. */
export interface IncomingManifest extends StoredManifest {
  readonly contents: Contents
  /** Absent: it is put by its digest. */
  readonly tag: string | undefined
}

export interface WritableRepository extends ReadableRepository {
  receive(algorithm: DigestAlgorithm): Awaitable<BlobWriter>
  /**
   * Takes a blob over from another repository; undefined stands for any.
   * @returns false if the blob has to be uploaded
   */
  mount(digest: Digest, from: string | undefined): Awaitable<boolean>
  /** @throws {Refusal} MANIFEST_BLOB_UNKNOWN, DENIED */
  putManifest(manifest: IncomingManifest): Awaitable<void>
  /** Takes the tags of the manifest along. @returns false if there is none */
  deleteManifest(digest: Digest): Awaitable<boolean>
  /** @returns false if there is none */
  deleteTag(tag: string): Awaitable<boolean>
  /** @returns false if there is none */
  deleteBlob(digest: Digest): Awaitable<boolean>
}

/** The content of a server. The protocol asks it for everything. */
export interface Registry {
  names(): Iterable<string>
  /**
   * Returns the repository to read from, or undefined if there is none.
   * @param registry the `ns` of the request, which containerd sends
   */
  find(name: string, registry: string | undefined): ReadableRepository | undefined
  /** Returns the repository to write to, which is made if need be. @throws {Refusal} if none takes writes */
  open(name: string): WritableRepository
  readonly uploads: Map<string, UploadSession>
  /** The most tags a page has. */
  readonly pageSize: number
}
