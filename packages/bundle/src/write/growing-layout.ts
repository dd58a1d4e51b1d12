import {constants} from 'node:fs'
import {open, readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {
  cancelled,
  formatReference,
  parseDescriptor,
  type CallOptions,
  type Descriptor,
  type Digest,
  type DigestAlgorithm,
  type Manifest,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {annotationKeys, recordedName, referenceIn} from '../names/recorded-name.js'
import {checkDirectory} from './check-directory.js'
import {DirectoryStore} from './directory-store.js'
import {GrowingBlob} from './growing-blob.js'
import {blobPath} from '../contents/blob-path.js'
import {INDEX, markLayout, MARKER, readLayoutIndex} from './layout-files.js'
import {layoutIndexBytes, withEntries, withoutEntries} from './layout-index.js'
import {storedManifest} from './stored-image.js'
import {ofBytes} from './write-at.js'
import {writeFailed} from './write-error.js'

/** An image of a layout under a full name, with a tag or a digest. */
export interface NamedImage {
  readonly name: Reference
  readonly descriptor: Descriptor
}

/** An image whose entry has no full name, as it stands there. */
export interface NamelessImage {
  readonly name?: undefined
  readonly digest: string
}

/** Names that appear and names that go. */
export interface NameChange {
  readonly add: readonly NamedImage[]
  readonly remove: readonly Reference[]
}

const BLOBS = ['blobs/sha256', 'blobs/sha512'] as const
/** Large enough for the disk to be the limit and not the calls. */
const READ_BYTES = 1024 * 1024
const UPLOAD = 'upload'

/**
 * An OCI layout that grows blob by blob, with names in index.json at every moment. Only one process may have it open:
 * opening removes the uploads that an earlier one left.
 */
export class GrowingLayout {
  readonly path: string
  readonly #store: DirectoryStore
  #waiting: NameChange[] = []
  #round: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()

  private constructor(path: string) {
    this.path = path
    this.#store = new DirectoryStore(path)
  }

  /** @throws {MirrorError} USAGE for a directory with other content or links in it, WRITE_FAILED, MANIFEST_INVALID */
  static async open(path: string): Promise<GrowingLayout> {
    await checkDirectory(path, {marker: MARKER, what: 'an OCI layout'})
    const layout = new GrowingLayout(path)
    await layout.#store.prepare(...BLOBS)
    await layout.#removeUploads()
    await markLayout(layout.#store)
    if ((await layout.#store.sizeOf(INDEX)) === undefined) await layout.change({add: [], remove: []})
    return layout
  }

  /** Returns the images of index.json. */
  async images(): Promise<readonly (NamedImage | NamelessImage)[]> {
    const {manifests} = await readLayoutIndex(this.#store)
    return manifests.map((entry) => {
      const descriptor = parseDescriptor(entry, INDEX)
      const {name} = recordedName(descriptor)
      return name === undefined ? {digest: descriptor.digest} : {name, descriptor}
    })
  }

  /** Returns a manifest; undefined if none has this digest, or it is damaged. */
  manifest(
    descriptor: Pick<Descriptor, 'digest' | 'mediaType'>,
    options: CallOptions = {},
  ): Promise<Manifest | undefined> {
    return storedManifest(descriptor, {...options, store: this.#store, pathOf: blobPath})
  }

  /** Returns the size of a blob; undefined if there is none. */
  blobSize(digest: Digest): Promise<number | undefined> {
    return this.#store.sizeOf(blobPath({digest}))
  }

  /** Reads a part of a blob; `end` is exclusive. The memory of a chunk is used again for the next. */
  async *readBlob(
    digest: Digest,
    {start, end, signal}: CallOptions & {readonly start: number; readonly end: number},
  ): AsyncGenerator<Uint8Array> {
    if (start >= end) return
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)
    await using file = await open(join(this.path, blobPath({digest})), flags)
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, end - start))
    for (let at = start; at < end;) {
      if (signal?.aborted) throw cancelled(signal)
      const {bytesRead} = await file.read(buffer, 0, Math.min(buffer.length, end - at), at)
      if (bytesRead === 0) throw new Error(`the blob ${digest} became shorter while it was read`)
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  /** Begins a blob. @throws {MirrorError} WRITE_FAILED */
  async begin(algorithm: DigestAlgorithm): Promise<GrowingBlob> {
    return new GrowingBlob(await this.#store.begin(UPLOAD), algorithm)
  }

  /** Writes the bytes of a manifest; it has no name yet. @throws {MirrorError} WRITE_FAILED */
  async keep({descriptor, bytes}: Manifest): Promise<void> {
    // A damaged file may have the right size, so its content decides.
    if ((await this.manifest(descriptor)) !== undefined) return
    await this.#store.write(blobPath(descriptor), ofBytes(bytes), {})
  }

  /** Changes names; several changes at once are one writing. @throws {MirrorError} WRITE_FAILED */
  change(change: NameChange): Promise<void> {
    this.#waiting.push(change)
    this.#round ??= this.#last.then(() => {
      this.#round = undefined
      return this.#write(this.#waiting.splice(0))
    })
    const round = this.#round
    this.#last = round.catch(() => {})
    return round
  }

  async #write(changes: readonly NameChange[]): Promise<void> {
    // Read again, because another program may have added an image meanwhile.
    let index = await readLayoutIndex(this.#store)
    for (const {add, remove} of changes) {
      // Another program may have spelt a name in another way.
      const gone = new Set([...remove, ...add.map(({name}) => name)].map(formatReference))
      index = withEntries(
        withoutEntries(index, (names) => names.some((name) => gone.has(fullName(name)))),
        add.map(({name, descriptor}) => ({descriptor, annotations: annotationsOf(name)})),
      )
    }
    await this.#store.write(INDEX, ofBytes(layoutIndexBytes(index)), {})
  }

  async #removeUploads(): Promise<void> {
    try {
      const left = (await readdir(this.path)).filter((name) => /^\.upload\.[0-9a-f]{12}\.tmp$/.test(name))
      for (const name of left) await rm(join(this.path, name), {force: true})
    } catch (cause) {
      throw writeFailed(this.path, cause)
    }
  }
}

/** Full names under both keys, as bundles have them: containerd reads one, skopeo the other. */
function annotationsOf(name: Reference): Readonly<Record<string, string>> {
  const text = formatReference(name)
  return {[annotationKeys.containerdName]: text, [annotationKeys.refName]: text}
}

function fullName(text: string): string {
  const name = referenceIn(text)
  return name === undefined ? text : formatReference(name)
}
