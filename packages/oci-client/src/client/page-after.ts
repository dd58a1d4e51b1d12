import type {RegistryClient} from './client.js'
import {nextPage} from './link-header.js'
import {onSide} from './side-error.js'
import type {HttpResponse, HttpUrl} from '../http/send.js'

/**
 * Returns the next page of a list; undefined after the last one.
 * @param options.reference the list, for messages
 * @throws {MirrorError} PROTOCOL for a link that cannot be parsed
 */
export function pageAfter(
  {side}: RegistryClient,
  {response, reference}: {readonly response: HttpResponse; readonly reference: string},
): HttpUrl | undefined {
  try {
    return nextPage(response)
  } catch (error) {
    throw onSide(side, error, {reference})
  }
}
