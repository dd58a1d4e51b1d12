import {readFailure, type Failure} from './failure.js'
import type {HttpResponse} from './send.js'
import {MirrorError, type Advice, type ErrorCode, type Side} from '../model/index.js'

export interface ResponseErrorOptions {
  readonly side: Side
  /** The failure and its object, as in `cannot push the blob registry.example/app@sha256:…`. */
  readonly what: string
  /** Marks the error so, see `MirrorErrorOptions`. */
  readonly inconclusive?: boolean
}

/** Returns the error for a response with a status that the caller cannot use; reads its body. */
export async function responseError(
  response: HttpResponse,
  options: ResponseErrorOptions,
): Promise<MirrorError> {
  const challenge = response.headers('www-authenticate').join(', ')
  const {redirectedFrom} = response
  const destination = destinationOf(response)
  return failureError(await readFailure(response), {
    ...options,
    authorized: response.authorized !== false,
    outOfScope: challenge.includes('insufficient_scope'),
    destination,
    becomesSecure: destination?.startsWith('https:') === true && response.url.origin.startsWith('http:'),
    redirected:
      redirectedFrom === undefined
        ? undefined
        : {from: new URL(redirectedFrom).host, to: new URL(response.url.origin).host},
  })
}

/** Returns the origin to which a redirect leads that was not followed, since its body cannot be sent twice. */
function destinationOf(response: HttpResponse): string | undefined {
  const {status, url} = response
  const location = response.header('location') ?? ''
  if (status < 300 || status >= 400 || !URL.canParse(location, url.origin)) return undefined
  return new URL(location, url.origin).origin
}

/** Returns the error for a failure that is already read. */
function failureError(
  failure: Failure,
  options: ResponseErrorOptions & {
    readonly authorized?: boolean
    readonly outOfScope?: boolean
    /** The origin to which a redirect leads. */
    readonly destination?: string
    /** It is one from HTTP to HTTPS. */
    readonly becomesSecure?: boolean
    /** Hosts. */
    readonly redirected?: {readonly from: string; readonly to: string}
  },
): MirrorError {
  const {side, what, inconclusive, redirected, destination, becomesSecure = false} = options
  const {code, advice} = becomesSecure
    ? ({code: 'PROTOCOL', advice: {kind: 'use-https'}} as const)
    : redirected !== undefined && failure.status === 401
      ? noLogin(redirected.to)
      : judge(failure, options)
  const text = destination === undefined ? failure.text : `a redirect to ${destination}`
  const said = text === '' ? '' : `: ${text}`
  const who =
    redirected === undefined ? 'the registry' : `${redirected.to}, to which ${redirected.from} redirects,`
  return new MirrorError(code, `${what}: ${who} answered ${statusText(failure.status)}${said}`, {
    side,
    advice,
    inconclusive,
  })
}

interface Verdict {
  readonly code: ErrorCode
  readonly advice?: Advice
}

/** Codes of the distribution-spec and of registries that add their own. They are more precise than the status. */
const BY_CODE: Readonly<Record<string, Verdict>> = {
  BLOB_UNKNOWN: {code: 'BLOB_UNKNOWN'},
  MANIFEST_BLOB_UNKNOWN: {code: 'BLOB_UNKNOWN'},
  BLOB_UPLOAD_UNKNOWN: {code: 'REGISTRY_FAILED', advice: {kind: 'share-upload-storage'}},
  MANIFEST_UNKNOWN: {code: 'NOT_FOUND'},
  MANIFEST_INVALID: {code: 'MANIFEST_REJECTED'},
  MANIFEST_UNVERIFIED: {code: 'MANIFEST_REJECTED'},
  MANIFEST_REFERENCE_IS_INVALID: {code: 'MANIFEST_REJECTED'},
  TAG_INVALID: {code: 'NAME_INVALID'},
  NAME_INVALID: {
    code: 'NAME_INVALID',
    advice: {kind: 'shorten-repository'},
  },
  NAME_UNKNOWN: {code: 'REPOSITORY_UNKNOWN', advice: {kind: 'create-repository'}},
  TOOMANYREQUESTS: {code: 'RATE_LIMITED', advice: {kind: 'slow-down'}},
  // Artifact Registry and ECR, for a tag that may not be moved.
  TAG_IMMUTABLE: {code: 'DENIED', advice: {kind: 'use-another-tag'}},
  IMAGETAGALREADYEXISTSEXCEPTION: {code: 'DENIED', advice: {kind: 'use-another-tag'}},
}

const FULL: Verdict = {
  code: 'REGISTRY_FULL',
  advice: {kind: 'free-registry-disk'},
}

/** Distribution answers 500 UNKNOWN with the system's error: its words, or `"Err":28` of a filesystem (ENOSPC). */
function tellsOfFullDisk({message, detail}: Failure['errors'][number]): boolean {
  return /no space left on device|disk quota exceeded|"Err":(?:28|122)\b/i.test(`${message} ${detail}`)
}

/** A login is for the host that it was given for, wherever that host redirects to. */
function noLogin(host: string): Verdict {
  return {code: 'AUTH_REQUIRED', advice: {kind: 'login-not-redirected', host}}
}

function judge(
  {status, errors}: Failure,
  {authorized = true, outOfScope = false}: {readonly authorized?: boolean; readonly outOfScope?: boolean},
): Verdict {
  // Harbor reports a missing project with UNAUTHORIZED or NOT_FOUND.
  if (errors.some(({message}) => /^project .{1,255} not found$/is.test(message))) {
    return {code: 'REPOSITORY_UNKNOWN', advice: {kind: 'create-repository'}}
  }
  if (status < 500) {
    for (const {code} of errors) {
      const verdict = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined
      if (verdict !== undefined) return verdict
    }
  }
  if (status >= 500 && errors.some(tellsOfFullDisk)) return FULL
  if (outOfScope) return {code: 'DENIED', advice: {kind: 'check-rights'}}
  if (status === 401) {
    return authorized
      ? {code: 'AUTH_FAILED', advice: {kind: 'check-credential'}}
      : {
          code: 'AUTH_REQUIRED',
          advice: {kind: 'log-in'},
        }
  }
  if (status === 412) return quotaIn(errors) ?? byStatus(status)
  if (status === 403 || errors.some(({code}) => code === 'DENIED' || code === 'UNAUTHORIZED')) {
    return quotaIn(errors) ?? {code: 'DENIED', advice: {kind: 'check-rights'}}
  }
  return byStatus(status)
}

function byStatus(status: number): Verdict {
  switch (status) {
    case 404:
      return {code: 'NOT_FOUND', advice: {kind: 'check-registry-address'}}
    case 405:
      return {
        code: 'DENIED',
        advice: {kind: 'allow-writes'},
      }
    case 412:
      return {
        code: 'DENIED',
        advice: {kind: 'check-tag-policy'},
      }
    case 413:
      return {
        code: 'TOO_LARGE',
        advice: {kind: 'raise-body-limit'},
      }
    case 415:
      return {code: 'MANIFEST_REJECTED', advice: {kind: 'convert-manifest'}}
    case 429:
      return {code: 'RATE_LIMITED', advice: {kind: 'slow-down'}}
    case 507:
      return FULL
  }
  if (status >= 500) return {code: 'REGISTRY_FAILED', advice: {kind: 'read-registry-log'}}
  return {code: 'PROTOCOL'}
}

function quotaIn(errors: Failure['errors']): Verdict | undefined {
  return errors.some(({message}) => /quota|exceeded|upper limit/i.test(message))
    ? {code: 'DENIED', advice: {kind: 'raise-quota'}}
    : undefined
}

const NAMES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  507: 'Insufficient Storage',
}

function statusText(status: number): string {
  return NAMES[status] === undefined ? String(status) : `${status} ${NAMES[status]}`
}
