import {readFailure, type Failure} from './failure.js'
import type {HttpResponse} from './send.js'
import {MirrorError, type ErrorCode, type Side} from '../model/index.js'

export interface ResponseErrorOptions {
  readonly side: Side
  /** What was being done, as in `cannot push the blob sha256:…`. */
  readonly what: string
  /** The image it was done for. */
  readonly reference?: string | undefined
}

/** The error for a response whose status the caller cannot use; reads its body. */
export async function responseError(
  response: HttpResponse,
  options: ResponseErrorOptions,
): Promise<MirrorError> {
  const challenge = response.headers('www-authenticate').join(', ')
  return failureError(await readFailure(response), {
    ...options,
    authorized: response.authorized !== false,
    outOfScope: challenge.includes('insufficient_scope'),
  })
}

/** The error for a failure that was read already. */
function failureError(
  failure: Failure,
  options: ResponseErrorOptions & {readonly authorized?: boolean; readonly outOfScope?: boolean},
): MirrorError {
  const {side, what, reference} = options
  const {code, hint} = judge(failure, options)
  const place = reference === undefined ? '' : ` of ${reference}`
  const said = failure.text === '' ? '' : `: ${failure.text}`
  return new MirrorError(
    code,
    `${what}${place}: the registry answered ${statusText(failure.status)}${said}`,
    {side, hint},
  )
}

interface Verdict {
  readonly code: ErrorCode
  readonly hint?: string
}

const PUSH_RIGHTS =
  'does the account have the right to push there, and does the project exist? (Harbor and GitLab refuse both alike)'
const PULL_RIGHTS = 'does the account have the right to pull from there?'
const CREATE = 'create the project or repository at the registry first, or choose another namespace'

const FORGETFUL =
  'the registry forgets uploads: several of them behind one address need the same storage and the same secret (http.secret)'

/** Codes of the distribution-spec and of the registries that add their own, which say more than the status. */
const BY_CODE: Readonly<Record<string, Verdict>> = {
  BLOB_UNKNOWN: {code: 'BLOB_UNKNOWN'},
  MANIFEST_BLOB_UNKNOWN: {code: 'BLOB_UNKNOWN'},
  BLOB_UPLOAD_UNKNOWN: {code: 'REGISTRY_FAILED', hint: FORGETFUL},
  MANIFEST_UNKNOWN: {code: 'NOT_FOUND'},
  MANIFEST_INVALID: {code: 'MANIFEST_REJECTED'},
  MANIFEST_UNVERIFIED: {code: 'MANIFEST_REJECTED'},
  MANIFEST_REFERENCE_IS_INVALID: {code: 'MANIFEST_REJECTED'},
  TAG_INVALID: {code: 'NAME_INVALID'},
  NAME_INVALID: {
    code: 'NAME_INVALID',
    hint: 'some registries take only so many path components: --max-depth joins deeper ones',
  },
  NAME_UNKNOWN: {code: 'REPOSITORY_UNKNOWN', hint: CREATE},
  TOOMANYREQUESTS: {code: 'RATE_LIMITED', hint: 'try again later, or lower --concurrency'},
  // Artifact Registry and ECR, for a tag that may not be moved.
  TAG_IMMUTABLE: {code: 'DENIED', hint: 'the tag is immutable at the registry'},
  IMAGETAGALREADYEXISTSEXCEPTION: {code: 'DENIED', hint: 'the tag is immutable at the registry'},
}

const FULL: Verdict = {
  code: 'REGISTRY_FULL',
  hint: "the registry's disk is full: make room there, then run this again",
}

/** Distribution answers 500 UNKNOWN with the system's error: its words, or `"Err":28` of a filesystem (ENOSPC). */
function tellsOfFullDisk({message, detail}: Failure['errors'][number]): boolean {
  return /no space left on device|disk quota exceeded|"Err":(?:28|122)\b/i.test(`${message} ${detail}`)
}

function judge(
  {status, errors}: Failure,
  {
    side,
    authorized = true,
    outOfScope = false,
  }: {readonly side: Side; readonly authorized?: boolean; readonly outOfScope?: boolean},
): Verdict {
  const rights = side === 'target' ? PUSH_RIGHTS : PULL_RIGHTS
  // Harbor tells of a missing project with UNAUTHORIZED or NOT_FOUND.
  if (errors.some(({message}) => /^project .{1,255} not found$/is.test(message))) {
    return {code: 'REPOSITORY_UNKNOWN', hint: CREATE}
  }
  if (status < 500) {
    for (const {code} of errors) {
      const verdict = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined
      if (verdict !== undefined) return verdict
    }
  }
  if (status >= 500 && errors.some(tellsOfFullDisk)) return FULL
  if (outOfScope) return {code: 'DENIED', hint: rights}
  if (status === 401) {
    return authorized
      ? {code: 'AUTH_FAILED', hint: 'check the user name and the password or token'}
      : {
          code: 'AUTH_REQUIRED',
          hint: 'give --username and --password-stdin, or log in with docker or podman first',
        }
  }
  if (status === 412) return quotaIn(errors) ?? byStatus(status)
  if (status === 403 || errors.some(({code}) => code === 'DENIED' || code === 'UNAUTHORIZED')) {
    return quotaIn(errors) ?? {code: 'DENIED', hint: rights}
  }
  return byStatus(status)
}

function byStatus(status: number): Verdict {
  switch (status) {
    case 404:
      return {code: 'NOT_FOUND', hint: 'is that the right host, port and namespace, and is it a registry?'}
    case 405:
      return {
        code: 'DENIED',
        hint: 'the registry may be read-only, or a proxy in front of it refuses the method',
      }
    case 412:
      return {
        code: 'DENIED',
        hint: 'the tag may be immutable at the registry, or a policy or quota forbids the push',
      }
    case 413:
      return {
        code: 'TOO_LARGE',
        hint: 'raise the body limit of the proxy in front of the registry (nginx: client_max_body_size 0), or set --chunk-size below it',
      }
    case 415:
      return {code: 'MANIFEST_REJECTED', hint: 'the registry does not take this kind of manifest'}
    case 429:
      return {code: 'RATE_LIMITED', hint: 'try again later, or lower --concurrency'}
    case 507:
      return FULL
  }
  if (status >= 500) return {code: 'REGISTRY_FAILED', hint: "look into the registry's log"}
  return {code: 'PROTOCOL'}
}

function quotaIn(errors: Failure['errors']): Verdict | undefined {
  return errors.some(({message}) => /quota|exceeded|upper limit/i.test(message))
    ? {code: 'DENIED', hint: "the project's quota at the registry is used up"}
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
