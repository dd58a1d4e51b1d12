import {MirrorError, type Advice, type Side} from '../model/index.js'
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
      advice: adviceFor(status, target),
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
    advice: {kind: networkCode(cause) === undefined ? 'check-proxy-scheme' : 'check-proxy'},
    cause,
  })
}

function adviceFor(status: number, target: string): Advice {
  if (status === 407) return {kind: 'add-proxy-login'}
  if (status === 502 || status === 503 || status === 504) return {kind: 'check-behind-proxy', target}
  return {kind: 'allow-at-proxy', target}
}
