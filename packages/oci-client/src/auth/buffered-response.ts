import {beginningOf} from '../http/beginning.js'
import {withBytes} from '../http/collecting.js'
import type {HttpResponse} from '../http/send.js'

/** Returns the same response with its connection free and the beginning of its body in memory. */
export async function bufferedResponse(
  response: HttpResponse,
  {authorized}: {readonly authorized: boolean},
): Promise<HttpResponse> {
  return {...withBytes(response, await beginningOf(response)), authorized}
}
