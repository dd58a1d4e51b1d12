import {createCipheriv, createHash} from 'node:crypto'
import {openRegistry, type Registry, type RegistryOptions} from '#src/index.js'
import {
  digestOf,
  verified,
  type BlobSource,
  type Bytes,
  type Digest,
  type PendingLayer,
} from '#src/model/index.js'
import {afterEach} from 'vitest'
import {
  startRegistry,
  type RegistryOptions as ServedOptions,
  type RequestRecord,
  type TestRegistry,
} from '../../../test/registry/index.js'

export const KiB = 1024
export const MiB = 1024 * KiB

/** Bytes that do not repeat, the same ones for the same seed. */
export function noise(length: number, seed = 'noise'): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

export interface SourceOptions {
  readonly piece?: number
  /** A false digest for the descriptor. */
  readonly digest?: Digest
  readonly size?: number
  /** Called for every opening with its offset. */
  readonly onOpen?: (offset: number) => void
  /** Before each piece. */
  readonly pause?: (position: number, signal: AbortSignal | undefined) => Promise<void> | void
}

/** Content held in memory, verified as every source does it. */
export function blobOf(bytes: Buffer, options: SourceOptions = {}): BlobSource {
  const content = {
    mediaType: 'application/octet-stream',
    digest: options.digest ?? digestOf(bytes),
    size: options.size ?? bytes.length,
  }
  return {
    content,
    open: ({offset = 0, signal} = {}) => {
      options.onOpen?.(offset)
      const rest = pieces(bytes.subarray(offset), {...options, offset, signal})
      return offset === 0 ? verified(rest, content, {what: 'the blob'}) : rest
    },
  }
}

/** A layer whose digest nobody knows before it was read. */
export function pendingOf(bytes: Buffer, options: SourceOptions = {}): BlobSource {
  const content: PendingLayer = {
    diffId: digestOf(Buffer.from(`plain ${digestOf(bytes)}`)),
    size: bytes.length * 3,
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  }
  return {
    content,
    open: ({offset = 0, signal} = {}) => {
      options.onOpen?.(offset)
      return pieces(bytes.subarray(offset), {...options, offset, signal})
    },
  }
}

async function* pieces(
  bytes: Buffer,
  {
    piece = 64 * KiB,
    pause,
    offset,
    signal,
  }: SourceOptions & {readonly offset: number; readonly signal: AbortSignal | undefined},
): Bytes {
  for (let at = 0; at < bytes.length; at += piece) {
    await pause?.(offset + at, signal)
    yield bytes.subarray(at, at + piece)
  }
}

/** Waits between attempts are cut to next to nothing. */
export function connect(host: string, options: Partial<RegistryOptions> = {}): Registry {
  return openRegistry({registry: host, side: 'target', plainHttp: true, retryMaxWait: 20, ...options})
}

/**
 * For a fault that comes a few times. All waits together are how long an outage is waited for: a tenth of a second by default,
 * which a busy machine takes between an answer and its judgement.
 */
export const patient = {retries: 500} as const

/** `POST PATCH PUT`: what the registry was asked, in order. */
export function methods({requests}: Pick<TestRegistry, 'requests'>): string {
  return requests.map(({method}) => method).join(' ')
}

/** The kinds of request, in order, each as often as it came. */
export function kinds({requests}: Pick<TestRegistry, 'requests'>): readonly RequestRecord['kind'][] {
  return requests.map(({kind}) => kind)
}

export interface Connected {
  readonly served: TestRegistry
  readonly registry: Registry
}

/** Starts registries, each with a client of it; all are closed after each test. */
export function useRegistries(): (
  served?: ServedOptions,
  options?: Partial<RegistryOptions>,
) => Promise<Connected> {
  const open: AsyncDisposable[] = []
  afterEach(async () => {
    for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]()
  })
  return async (served = {}, options = {}) => {
    const registry = await startRegistry(served)
    const client = connect(registry.host, options)
    open.push(registry, client)
    return {served: registry, registry: client}
  }
}
