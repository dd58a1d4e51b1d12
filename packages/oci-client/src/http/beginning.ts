import type {HttpResponse} from './send.js'
import {limits} from '../model/index.js'

/** Milliseconds, so that a trickling body does not delay the answer. */
const WAIT = 5000

/** Returns at most `limits.errorBodyBytes` of a body that only explains its status, and throws the rest away. */
export async function beginningOf(response: HttpResponse): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const timer = setTimeout(() => void response.discard(), WAIT)
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk.subarray(0, limits.errorBodyBytes - size))
      size += chunk.length
      if (size >= limits.errorBodyBytes) break
    }
  } catch {
    // The status is the answer; of its explanation, what came is enough.
  } finally {
    clearTimeout(timer)
  }
  await response.discard()
  return Buffer.concat(chunks)
}
