import type {RegistryClient} from '../../client/client.js'
import {resolveLocation} from '../../http/location.js'
import type {HttpResponse, HttpUrl} from '../../http/send.js'
import {isMirrorError, MirrorError, type ErrorCode} from '../../model/index.js'

/** Failures of the way to a host. A proxy that hides the registry's own name causes them as well. */
const OF_THE_WAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UNREACHABLE',
  'TIMEOUT',
  'TLS_UNTRUSTED',
  'TLS_FAILED',
  'TLS_NOT_SPOKEN',
])

const CORRECT = {kind: 'correct-forwarded-host'} as const

/** Returns the error of a host that the registry named for an upload, and that cannot be spoken to. */
export function ledAway(
  client: RegistryClient,
  {error, origin}: {readonly error: unknown; readonly origin: string},
): unknown {
  if (!isMirrorError(error) || !OF_THE_WAY.has(error.code)) return error
  return new MirrorError(error.code, `${client.registry} names ${origin} for the upload: ${error.message}`, {
    side: error.side,
    advice: CORRECT,
    cause: error.cause,
  })
}

/** Returns the error of an answer, which says who answered if the registry named another host for the upload. */
export function awayError(
  client: RegistryClient,
  {response, error}: {readonly response: HttpResponse; readonly error: MirrorError},
): MirrorError {
  const {origin} = response.url
  if (origin === client.origin) return error
  const {code, message, side, hint, cause} = error
  // A store has its own reasons to refuse. A host without a registry, or another one, knows neither login nor upload.
  const advice = response.status === 401 || response.status === 404 ? CORRECT : error.advice
  return new MirrorError(code, `${message} (at ${origin}, which ${client.registry} names for the upload)`, {
    side,
    advice,
    hint,
    cause,
  })
}

/**
 * Returns the URL of an upload in a Location header.
 * @throws {MirrorError} PROTOCOL
 */
export function uploadUrl(
  client: RegistryClient,
  {base, location}: {readonly base: HttpUrl; readonly location: string},
): HttpUrl {
  try {
    return resolveLocation(base, location)
  } catch (error) {
    if (!isMirrorError(error)) throw error
    throw new MirrorError(error.code, error.message.replace(/^the registry/, client.registry), {
      side: client.side,
      advice: CORRECT,
      cause: error.cause,
    })
  }
}
