import pLimit from 'p-limit'
import {
  isMirrorError,
  MirrorError,
  type CallOptions,
  type Descriptor,
  type Digest,
  type ImageSink,
} from '@airgap-mirror/oci-client/model'

/** A blob that the target has to hold, in one repository. */
export interface RequiredBlob {
  readonly repository: string
  readonly descriptor: Descriptor
  /** The digest of the plain tar, for a layer that the bundle holds plain. */
  readonly diffId?: Digest
}

export interface Required extends RequiredBlob {
  readonly kind: 'manifest' | 'blob'
}

/** Reads a blob back. It throws the error that the blob has. */
export type ReadBack = (blob: RequiredBlob, options: CallOptions) => Promise<void>

export interface CheckOptions extends CallOptions {
  readonly sink: ImageSink
  /** `host[:port]`. */
  readonly registry: string
  /** Requests at once. */
  readonly concurrency: number
  /** Absent: content is only asked for, not read. */
  readonly readBack?: ReadBack
}

export const TARGET = {side: 'target', advice: {kind: 'push-again'}} as const

const DIFFERENCES: ReadonlySet<string> = new Set(['NOT_FOUND', 'BLOB_MISSING', 'DIGEST_MISMATCH'])

/** Returns true if the target was asked and has something else. */
export function isDifference({code}: MirrorError): boolean {
  return DIFFERENCES.has(code)
}

/** Asks for each content once a repository, and reads each digest back once. */
export class Checks {
  blobs = 0
  bytes = 0
  readonly #asked = new Map<string, Promise<MirrorError | undefined>>()
  readonly #read = new Map<Digest, Promise<void>>()
  readonly #options: CheckOptions
  readonly #atOnce: ReturnType<typeof pLimit>

  constructor(options: CheckOptions) {
    this.#options = options
    this.#atOnce = pLimit(2 * options.concurrency)
  }

  check(required: Required): Promise<MirrorError | undefined> {
    const {repository, kind, descriptor} = required
    const key = `${kind} ${repository}@${descriptor.digest}`
    const asked = this.#asked.get(key) ?? this.#atOnce(() => this.#ask(required))
    this.#asked.set(key, asked)
    return asked
  }

  async #ask(required: Required): Promise<MirrorError | undefined> {
    const {repository, kind, descriptor} = required
    const {digest, size} = descriptor
    try {
      const isThere = kind === 'manifest' ? await this.#hasManifest(required) : await this.#hasBlob(required)
      if (!isThere) {
        return new MirrorError('BLOB_MISSING', `${repository} lacks the ${kind} ${digest}`, TARGET)
      }
      if (kind === 'blob') {
        this.blobs += 1
        this.bytes += size
      }
      return undefined
    } catch (error) {
      if (isMirrorError(error) && error.code !== 'CANCELLED') return error
      throw error
    }
  }

  async #hasManifest({repository, descriptor: {digest}}: Required): Promise<boolean> {
    const {sink, registry, signal, readBack} = this.#options
    const target = {registry, repository, digest}
    const found =
      readBack === undefined ? await sink.resolve(target, {signal}) : await sink.manifest(target, {signal})
    return found !== undefined
  }

  async #hasBlob(blob: Required): Promise<boolean> {
    const {sink, signal, readBack} = this.#options
    const {digest, size} = blob.descriptor
    const asked = {size: readBack === undefined ? size : undefined, signal}
    if (!(await sink.hasBlob(blob.repository, digest, asked))) return false
    if (readBack === undefined) return true
    const read = this.#read.get(digest) ?? readBack(blob, {signal})
    this.#read.set(digest, read)
    await read
    return true
  }
}

/** Joins several errors: the code of the first, and the messages of a few. */
export function together(errors: readonly MirrorError[]): MirrorError {
  const [first] = errors
  const shown = errors.slice(0, 5).map(({message}) => message)
  const more = errors.length > shown.length ? [`and ${errors.length - shown.length} more`] : []
  return new MirrorError(first?.code ?? 'BLOB_MISSING', [...shown, ...more].join('; '), {
    side: 'target',
    advice: first?.advice,
    cause: first,
  })
}
