import type {HttpResponse} from './send.js'
import {MirrorError, type Side} from '../model/index.js'

export interface ResponseErrorOptions {
  readonly side: Side
  /** What was being done, as in `cannot push the blob sha256:…`. */
  readonly what: string
  /** The image it was done for. */
  readonly reference?: string | undefined
}

/** What a registry says of a failure: the OCI error envelope, else the beginning of whatever it sent. */
export interface Failure {
  readonly status: number
  /** Upper-case codes such as `NAME_UNKNOWN`, with their messages; unescaped, as they came. */
  readonly errors: readonly {readonly code: string; readonly message: string}[]
  readonly text: string
}

/** Reads the body of a response that is a failure, or what `limits.errorBodyBytes` leaves of it. */
export const readFailure = async (_response: HttpResponse): Promise<Failure> => {
  throw new Error('not yet')
}

/** The error for a response whose status the caller cannot use; reads its body. */
export const responseError = async (
  _response: HttpResponse,
  _options: ResponseErrorOptions,
): Promise<MirrorError> => {
  throw new Error('not yet')
}
