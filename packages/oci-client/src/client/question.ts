import type {RegistryClient} from './client.js'
import {isMirrorError, MirrorError, type ErrorCode} from '../model/index.js'

/** Errors that the target's answer causes, and not the way to it. AUTH_REQUIRED is not among them: a login is asked for. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DENIED',
  'AUTH_FAILED',
  'PROTOCOL',
  'DIGEST_MISMATCH',
  'MANIFEST_INVALID',
  'SOURCE_UNSUPPORTED',
  'LIMIT_EXCEEDED',
])

/**
 * Asks a registry for its content. If the answer of a target tells nothing, the error is marked as inconclusive:
 * accounts may be allowed to write and not to read, and policies hide content that may be overwritten.
 */
export async function asQuestion<Answer>(
  {side}: RegistryClient,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    if (side !== 'target' || !isMirrorError(error) || error.inconclusive || !REFUSALS.has(error.code))
      throw error
    const {code, message, advice, hint, cause} = error
    throw new MirrorError(code, message, {side: error.side, advice, hint, cause, inconclusive: true})
  }
}

/** Returns true for a status that says neither that the content is there, nor that the registry is out of order. */
export function leavesOpen({side}: RegistryClient, status: number): boolean {
  if (side !== 'target') return false
  return status < 500 ? status !== 408 && status !== 425 && status !== 429 : status === 500 || status === 501
}
