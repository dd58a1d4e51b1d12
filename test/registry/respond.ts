import {once} from 'node:events'
import type {ServerResponse} from 'node:http'
import {type Reply, sizeOf} from '@airgap-mirror/cli/server'
import {delay, hasBody, silence, type Exchange} from './exchange.js'

/** Writes an answer, with the faults that happen to answers. */
export async function respond(reply: Reply, exchange: Exchange, response: ServerResponse): Promise<void> {
  const {fault, record, reset, closed} = exchange
  if (fault?.type === 'stall' && fault.at === 'response') await silence(fault.ms, closed)
  if (fault?.type === 'reset-after') return reset()
  if (response.destroyed) return
  const cutAt =
    fault?.type === 'reset-in-body' && !hasBody(exchange.request) ? fault.after : Number.POSITIVE_INFINITY
  record.status = reply.status
  writeHead(reply, exchange, response)
  if (record.method === 'HEAD' || reply.body === undefined) {
    if (cutAt !== Number.POSITIVE_INFINITY) return reset()
    response.end()
    return
  }
  for await (const chunk of piecesOf(reply.body, exchange)) {
    const room = Math.min(chunk.length, cutAt - record.bytesSent)
    record.bytesSent += room
    if (!response.write(chunk.subarray(0, room))) await drained(response, closed)
    if (record.bytesSent >= cutAt) {
      await flushed(response, closed)
      return reset()
    }
    if (response.destroyed) return
    if (fault?.type === 'trickle') await Promise.race([delay(fault.ms), closed])
  }
  if (cutAt !== Number.POSITIVE_INFINITY) return reset()
  response.end()
}

function writeHead(
  {status, headers, body}: Reply,
  {fault, record}: Exchange,
  response: ServerResponse,
): void {
  response.statusCode = status
  response.setHeader('docker-distribution-api-version', 'registry/2.0')
  // 204 and 304 have no body, and no length either (RFC 9110 8.6).
  if (status !== 204 && status !== 304 && fault?.type !== 'endless')
    response.setHeader('content-length', sizeOf(body))
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
  if (record.method !== 'HEAD') response.flushHeaders()
}

async function* piecesOf(body: NonNullable<Reply['body']>, {fault}: Exchange): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for await (const bytes of body instanceof Uint8Array ? [body] : body.read({})) {
    const chunk = fault?.type === 'corrupt' && isFirst ? flipped(bytes) : bytes
    isFirst = false
    const step = fault?.type === 'trickle' ? fault.bytes : Math.max(1, chunk.length)
    for (let offset = 0; offset < chunk.length; offset += step) yield chunk.subarray(offset, offset + step)
  }
  if (fault?.type !== 'endless') return
  const filler = Buffer.alloc(64 * 1024, ' ')
  // The reader stops when the connection is gone.
  for (;;) {
    yield filler
    await delay(1)
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[0] = (copy[0] ?? 0) ^ 1
  return copy
}

async function drained(response: ServerResponse, closed: Promise<void>): Promise<void> {
  await Promise.race([once(response, 'drain'), closed])
}

/** A reset throws away what is still in the socket's buffer: what was to arrive has to leave first. */
async function flushed(response: ServerResponse, closed: Promise<void>): Promise<void> {
  const written = new Promise<void>((resolve) => {
    response.write('', () => resolve())
  })
  await Promise.race([written, closed])
  await delay(5)
}
