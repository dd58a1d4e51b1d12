import type {Dispatcher} from 'undici'
import {atLeastRate} from './least-rate.js'
import type {HttpResponse, HttpUrl} from './send.js'
import {cancelled, limits, readAll, type Bytes, type Side} from '../model/index.js'

type WireData = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>

export interface WireOptions {
  readonly url: HttpUrl
  readonly side: Side
  readonly signal: AbortSignal | undefined
  /** Converts a failure in the middle of the body. */
  readonly toError: (error: unknown) => unknown
}

/** Bytes of a body that are read and thrown away. A longer body has its connection closed. */
const DISCARDED = limits.errorBodyBytes
/** Milliseconds for that, so that a trickling body does not delay the caller. */
const DISCARD_WAIT = 2000

/** Returns a response whose body is still on the wire. Bytes are passed on as they come, never decompressed. */
export function wireResponse(data: WireData, options: WireOptions): HttpResponse {
  const {body: wire} = data
  const body = wireBytes(wire, options)
  return {
    ...headOf(data, options),
    body,
    read: (limit) =>
      readAll(body, {limit, what: `the answer of ${options.url.origin}`, signal: options.signal}),
    discard: async () => {
      const timer = setTimeout(() => wire.destroy(), DISCARD_WAIT)
      await wire.dump({limit: DISCARDED}).finally(() => clearTimeout(timer))
    },
  }
}

/** Returns a response whose body is already read. */
export function readResponse(data: WireData, bytes: Uint8Array, options: WireOptions): HttpResponse {
  const body = {
    async *[Symbol.asyncIterator]() {
      if (bytes.length > 0) yield bytes
    },
  }
  return {
    ...headOf(data, options),
    body,
    read: (limit) => readAll(body, {limit, what: `the answer of ${options.url.origin}`}),
    discard: async () => {},
  }
}

/** Returns up to `limit` bytes of a body. Closes the connection if there are more or the body takes too long. */
export async function readBeginning(
  {body}: WireData,
  {limit, milliseconds}: {readonly limit: number; readonly milliseconds: number},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const timer = setTimeout(() => body.destroy(), milliseconds)
  try {
    for await (const chunk of body as Bytes) {
      chunks.push(chunk.subarray(0, limit - size))
      size += chunk.length
      if (size >= limit) break
    }
  } catch {
    // The status is the answer; of its explanation, what came is enough.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks)
}

function headOf(
  {statusCode, headers}: WireData,
  {url}: WireOptions,
): Pick<HttpResponse, 'status' | 'header' | 'headers' | 'url'> {
  const values = (name: string): readonly string[] => {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined
    if (value === undefined) return []
    // Some servers send a space behind the value, which is no part of it (RFC 9110, 5.5).
    return (typeof value === 'string' ? [value] : value).map((text) => text.trim())
  }
  return {status: statusCode, header: (name) => values(name)[0], headers: values, url}
}

async function* wireBytes(
  wire: WireData['body'],
  {url, side, signal, toError}: WireOptions,
): AsyncGenerator<Uint8Array> {
  try {
    yield* atLeastRate(wire as Bytes, {origin: url.origin, side})
  } catch (error) {
    throw signal?.aborted ? cancelled(signal) : toError(error)
  }
}
