import type {Advice} from './advice.js'

/** Stable names of all errors that a user can do something about. */
export type ErrorCode =
  // invalid input, found before the first byte is sent
  | 'USAGE'
  | 'CONFIG_INVALID'
  | 'LIST_INVALID'
  | 'NAME_INVALID'
  | 'NAME_MISSING'
  | 'NAME_COLLISION'
  | 'NOT_EXPRESSIBLE'
  | 'IMAGE_NOT_FOUND'
  | 'CREDENTIALS_INVALID'
  | 'CERTIFICATE_INVALID'
  | 'KEY_INVALID'
  | 'SIGNATURE_INVALID'
  // the source
  | 'SOURCE_UNREADABLE'
  | 'SOURCE_UNKNOWN'
  | 'SOURCE_EMPTY'
  | 'SOURCE_TRUNCATED'
  | 'SOURCE_CORRUPT'
  | 'SOURCE_UNSUPPORTED'
  | 'LIMIT_EXCEEDED'
  | 'DIGEST_MISMATCH'
  | 'BLOB_MISSING'
  | 'MANIFEST_INVALID'
  | 'INDEX_SPARSE'
  | 'SCRATCH_FULL'
  | 'SOURCE_PASSED'
  // a registry
  | 'UNREACHABLE'
  | 'TIMEOUT'
  | 'TLS_UNTRUSTED'
  | 'TLS_FAILED'
  | 'TLS_NOT_SPOKEN'
  | 'PROXY_FAILED'
  | 'AUTH_REQUIRED'
  | 'AUTH_FAILED'
  | 'DENIED'
  | 'REPOSITORY_UNKNOWN'
  | 'NOT_FOUND'
  | 'BLOB_UNKNOWN'
  | 'MANIFEST_REJECTED'
  | 'TOO_LARGE'
  | 'RATE_LIMITED'
  | 'REGISTRY_FAILED'
  | 'REGISTRY_FULL'
  | 'TAG_CHANGED'
  | 'PRUNE_REFUSED'
  | 'PROTOCOL'
  // this machine, this run
  | 'STATE_LOCKED'
  | 'WRITE_FAILED'
  | 'CANCELLED'

/** The side of a transfer on which something happened. */
export type Side = 'source' | 'target'

export interface MirrorErrorOptions {
  /** The side it happened on. Printed first, because the remedy depends on it. */
  readonly side?: Side
  /** Remedy as data. The program words it for its command and the side. */
  readonly advice?: Advice
  /** Remedy in words, for the program's own errors: one sentence that names no flag. Libraries give `advice`. */
  readonly hint?: string
  /** The target answered, but so that nothing is known of the content asked for: a write may succeed all the same. */
  readonly inconclusive?: boolean
  readonly cause?: unknown
}

/**
 * The only error class for everything that a user can cause or mend. Any other error that escapes is a bug and prints a
 * stack.
 * Test `code`, never `instanceof`: two copies of this package may be loaded.
 * Has only `code`, `message`, `cause` and the fields of its options, and never carries a credential, a header or a
 * signed query.
 */
export class MirrorError extends Error {
  override readonly name = 'MirrorError'
  readonly code: ErrorCode
  readonly side: Side | undefined
  readonly advice: Advice | undefined
  readonly hint: string | undefined
  readonly inconclusive: boolean

  constructor(code: ErrorCode, message: string, options: MirrorErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause})
    this.code = code
    this.side = options.side
    this.advice = options.advice
    this.hint = options.hint
    this.inconclusive = options.inconclusive === true
  }
}

/** Returns true for a `MirrorError` of any copy of this package. */
export function isMirrorError(value: unknown): value is MirrorError {
  return value instanceof Error && value.name === 'MirrorError' && 'code' in value
}

/** Returns true if a target's answer to a question leaves open what it holds. Only a write can tell. */
export function isInconclusive(value: unknown): value is MirrorError {
  return isMirrorError(value) && value.inconclusive
}

/** Returns true if a target, asked for a blob, turned out to have other bytes under its digest. */
export function isDamaged(value: unknown): value is MirrorError {
  return isMirrorError(value) && value.code === 'DIGEST_MISMATCH' && !value.inconclusive
}

/** Returns the error of a refused write, with the target's earlier answer when it was asked for the same content. */
export function afterQuestion(refused: MirrorError, question: MirrorError): MirrorError {
  return new MirrorError(refused.code, `${refused.message} (asked before: ${question.message})`, {
    side: refused.side,
    advice: refused.advice,
    hint: refused.hint,
    cause: question,
  })
}

/** Returns the reason of the signal if it is a MirrorError, else a new CANCELLED. */
export function cancelled(signal?: AbortSignal): MirrorError {
  return isMirrorError(signal?.reason)
    ? signal.reason
    : new MirrorError('CANCELLED', 'cancelled', {cause: signal?.reason})
}
