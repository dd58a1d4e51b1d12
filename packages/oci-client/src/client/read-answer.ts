import type {RegistryClient} from './client.js'
import {onSide} from './side-error.js'
import type {HttpRequest, HttpResponse} from '../http/send.js'

/** An answer with its whole body. Unless its status is 200, the body is unread. */
export interface Answer {
  readonly response: HttpResponse
  readonly bytes: Uint8Array
}

/**
 * Reads a small answer whole. An answer that breaks off is asked for again from its start.
 * @param options.reference the object of the request, for messages
 * @param options.limit in bytes
 * @throws {MirrorError} LIMIT_EXCEEDED, CANCELLED, and the errors of the connection
 */
export async function readAnswer(
  client: RegistryClient,
  request: Omit<HttpRequest, 'collect'>,
  {reference, limit}: {readonly reference: string; readonly limit: number},
): Promise<Answer> {
  try {
    const response = await client.send({...request, collect: limit})
    return {response, bytes: response.status === 200 ? await response.read(limit) : NOTHING}
  } catch (error) {
    throw onSide(client.side, error, {reference})
  }
}

const NOTHING = new Uint8Array()
