import type {RegistryClient} from '../../client/client.js'
import {pushScope} from '../../client/endpoints.js'
import type {HttpRequest, HttpResponse} from '../../http/send.js'
import {ledAway} from './led-away.js'

/** The sender of a session's requests. */
export interface Sender {
  readonly client: RegistryClient
  readonly repository: string
  readonly signal: AbortSignal | undefined
}

/**
 * Sends a request to the session's URL, with the rights that an upload needs.
 * @throws {MirrorError} the errors of the connection; of another host than the registry they say that the registry
 * named it
 */
export async function sessionRequest(
  {client, signal, repository}: Sender,
  request: Omit<HttpRequest, 'scopes' | 'signal'>,
): Promise<HttpResponse> {
  try {
    return await client.sendOnce({...request, signal, scopes: [pushScope(repository)]})
  } catch (error) {
    throw request.url.origin === client.origin ? error : ledAway(client, {error, origin: request.url.origin})
  }
}
