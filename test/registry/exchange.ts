import type {IncomingMessage} from 'node:http'
import {Refusal} from '@airgap-mirror/cli/server'
import type {Fault} from './fault-rule.js'
import {HtmlRefusal} from './html-refusal.js'
import type {MutableRecord} from './request-log.js'
import type {Route} from './route.js'
import type {RegistryState} from './state.js'

/** A request while it is worked on. */
export interface Exchange {
  readonly route: Route
  readonly request: IncomingMessage
  readonly record: MutableRecord
  readonly fault: Fault | undefined
  /** Rights of the token or password in the request. */
  readonly access: Access
  /** Resets the connection at once: the client sees ECONNRESET, not an orderly end. */
  readonly reset: () => void
  /** Settles when the connection is gone. */
  readonly closed: Promise<void>
}

/** The rights of a request's sender. */
export interface Access {
  readonly user: string | undefined
  can(action: 'pull' | 'push' | 'delete', repository: string): boolean
}

/** Thrown when the client has closed the connection before the answer. */
export class ConnectionGone extends Error {
  override readonly name = 'ConnectionGone'
}

/**
 * The request's body, once: counted, limited, and with the faults that happen inside bodies.
 * @throws {Refusal} 413 over the body limit
 * @throws {ConnectionGone} if a fault or the client cut it off
 */
export async function* bodyOf(exchange: Exchange, state: RegistryState): AsyncGenerator<Uint8Array> {
  const {request, record, fault} = exchange
  const limit = state.options.bodyLimit ?? Number.POSITIVE_INFINITY
  const resets = state.options.overLimit === 'reset'
  const refuse = (): never => {
    if (!resets) throw tooLarge()
    exchange.reset()
    throw new ConnectionGone('over the limit')
  }
  if (!resets && Number(request.headers['content-length'] ?? 0) > limit) refuse()
  let stopAt = hasBody(request) ? stopOf(fault) : Number.POSITIVE_INFINITY
  const count = (bytes: Uint8Array): void => {
    record.bytesReceived += bytes.length
    state.log.bytesReceived += bytes.length
    if (record.bytesReceived > limit) refuse()
  }
  try {
    for await (const chunk of request.iterator({destroyOnReturn: false})) {
      let bytes = chunk as Uint8Array
      if (record.bytesReceived + bytes.length >= stopAt) {
        const before = bytes.subarray(0, stopAt - record.bytesReceived)
        bytes = bytes.subarray(before.length)
        count(before)
        if (before.length > 0) yield* paced(before, fault)
        await strike(exchange)
        stopAt = Number.POSITIVE_INFINITY
      }
      count(bytes)
      if (bytes.length > 0) yield* paced(bytes, fault)
    }
  } catch (thrown) {
    if (thrown instanceof Refusal || thrown instanceof ConnectionGone) throw thrown
    throw new ConnectionGone('cut off', {cause: thrown})
  }
  if (stopAt !== Number.POSITIVE_INFINITY) await strike(exchange)
}

export function hasBody({headers}: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Reads a small body whole. */
export async function readBody(
  exchange: Exchange,
  state: RegistryState,
  options: {readonly limit: number; readonly tooLarge: () => Refusal},
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bodyOf(exchange, state)) {
    size += chunk.length
    if (size > options.limit) throw options.tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

/** Until the time is over, or, without a time, until the connection is gone. */
export async function silence(milliseconds: number | undefined, closed: Promise<void>): Promise<void> {
  await (milliseconds === undefined ? closed : Promise.race([delay(milliseconds), closed]))
}

/** The place in the request's body where a fault strikes; a body that is shorter is struck at its end. */
function stopOf(fault: Fault | undefined): number {
  if (fault?.type === 'reset-in-body') return fault.after
  if (fault?.type === 'stall' && fault.at === 'body') return fault.after ?? 0
  return Number.POSITIVE_INFINITY
}

/** Returns only from a stall that ends by itself. */
async function strike({fault, reset, closed}: Exchange): Promise<void> {
  if (fault?.type === 'stall') {
    await silence(fault.ms, closed)
    if (fault.ms !== undefined) return
  } else {
    reset()
  }
  throw new ConnectionGone('cut off by a fault')
}

async function* paced(bytes: Uint8Array, fault: Fault | undefined): AsyncGenerator<Uint8Array> {
  if (fault?.type !== 'trickle') {
    yield bytes
    return
  }
  for (let offset = 0; offset < bytes.length; offset += fault.bytes) {
    yield bytes.subarray(offset, offset + fault.bytes)
    await delay(fault.ms)
  }
}

function tooLarge(): Refusal {
  return new HtmlRefusal(413, 'Request Entity Too Large')
}
