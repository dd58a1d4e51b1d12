import {beginningOf} from '../http/beginning.js'
import {withBytes} from '../http/collecting.js'
import type {HttpResponse} from '../http/send.js'

/** The same response with its connection free and the beginning of its body in memory. */
export const bufferedResponse = async (
  response: HttpResponse,
  {authorized}: {readonly authorized: boolean},
): Promise<HttpResponse> => ({...withBytes(response, await beginningOf(response)), authorized})
