import {patienceWith} from './patience.js'
import {atSource} from './source-error.js'
import type {RegistryClient} from '../registry/client.js'
import type {HttpRequest, HttpResponse} from '../http/send.js'
import {isTransient} from '../http/transport-error.js'
import {limits} from '../model/index.js'

/** An answer with its whole body; one that is not 200 is left unread. */
export interface Answer {
  readonly response: HttpResponse
  readonly bytes: Uint8Array
}

/**
 * Reads a small answer whole. One that breaks off is asked for again from its start.
 * @param options.reference what it speaks of, for messages
 * @throws {MirrorError} LIMIT_EXCEEDED, CANCELLED, those of the connection
 */
export async function readAnswer(
  client: RegistryClient,
  request: HttpRequest,
  {reference, limit = limits.manifestBytes}: {readonly reference: string; readonly limit?: number},
): Promise<Answer> {
  const patience = patienceWith(client, reference)
  for (;;) {
    const response = await client.send(request)
    if (response.status !== 200) return {response, bytes: NOTHING}
    try {
      return {response, bytes: await response.read(limit)}
    } catch (error) {
      if (!isTransient(error)) throw atSource(error, {reference})
      await patience.wait(0, {error, signal: request.signal})
    }
  }
}

const NOTHING = new Uint8Array()
