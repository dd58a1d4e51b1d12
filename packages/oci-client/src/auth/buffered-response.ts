import type {HttpResponse} from '../http/send.js'
import {limits} from '../model/index.js'

/** The same response with its connection free and the beginning of its body, `limits.errorBodyBytes`, in memory. */
export const bufferedResponse = async (
  response: HttpResponse,
  {authorized}: {readonly authorized: boolean},
): Promise<HttpResponse> => {
  const bytes = await beginningOf(response)
  return {
    status: response.status,
    url: response.url,
    authorized,
    header: (name) => response.header(name),
    headers: (name) => response.headers(name),
    body: {
      async *[Symbol.asyncIterator]() {
        if (bytes.length > 0) yield bytes
      },
    },
    read: async () => bytes,
    discard: async () => {},
  }
}

const beginningOf = async (response: HttpResponse): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk.subarray(0, limits.errorBodyBytes - size))
      size += chunk.length
      if (size >= limits.errorBodyBytes) break
    }
  } catch {
    // The status is the answer; of its explanation, what came is enough.
  }
  await response.discard()
  return Buffer.concat(chunks)
}
