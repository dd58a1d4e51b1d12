import {MirrorError, type Side} from '../model/index.js'
import {networkCode, networkReason} from './network-code.js'

/** A proxy that answered, but did not let the connection through. */
export function proxyRefused(
  proxy: string,
  target: string,
  {side, status}: {readonly side: Side; readonly status: number},
): MirrorError {
  return new MirrorError(
    'PROXY_FAILED',
    `the proxy ${proxy} does not connect to ${target}: status ${status}`,
    {
      side,
      hint: hintFor(status, target),
      cause: Object.assign(new Error(`CONNECT was answered with ${status}`), {
        code: `PROXY_STATUS_${status}`,
      }),
    },
  )
}

/** A proxy that could not be spoken to at all. */
export function proxyUnreachable(
  proxy: string,
  {side, cause}: {readonly side: Side; readonly cause: unknown},
): MirrorError {
  return new MirrorError('PROXY_FAILED', `the proxy ${proxy} cannot be used: ${networkReason(cause)}`, {
    side,
    hint:
      networkCode(cause) === undefined
        ? 'is it an http:// or an https:// proxy?'
        : 'check HTTPS_PROXY, HTTP_PROXY and --proxy, or name the registry in NO_PROXY to go past it',
    cause,
  })
}

function hintFor(status: number, target: string): string {
  if (status === 407)
    return 'put its user name and password into the proxy URL: http://user:password@host:port'
  if (status === 502 || status === 503 || status === 504)
    return `is ${target} up, and can the proxy reach it?`
  return `allow ${target} at the proxy, or name it in NO_PROXY to go past the proxy`
}
