import type {HttpResponse} from '../http/send.js'
import {isMirrorError, limits} from '../model/index.js'

/** The same response with its body in memory and its connection free; a body over `limits.errorBodyBytes` becomes empty. */
export const bufferedResponse = async (response: HttpResponse): Promise<HttpResponse> => {
  let bytes: Uint8Array
  try {
    bytes = await response.read(limits.errorBodyBytes)
  } catch (error) {
    if (!isMirrorError(error) || error.code !== 'LIMIT_EXCEEDED') throw error
    bytes = new Uint8Array()
  }
  return {
    status: response.status,
    url: response.url,
    header: (name) => response.header(name),
    headers: (name) => response.headers(name),
    body: once(bytes),
    read: async () => bytes,
    discard: async () => {},
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield bytes
}
