export interface GoUrl {
  readonly scheme: string
  /** With the port as it is written. */
  readonly host: string
  readonly path: string
  readonly hasUser: boolean
  readonly hasQueryOrFragment: boolean
}

const URL_PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:([^/?#]*)@)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/

/** Reads an absolute URL as Go's net/url does: a default port stays. Absent if it has no scheme or is not valid. */
export function parseGoUrl(text: string): GoUrl | undefined {
  const [whole, scheme = '', user, host = '', path = '', query, fragment] = URL_PARTS.exec(text) ?? []
  const isValid =
    whole !== undefined &&
    /^(?:\[[^\]]*\]|[^[\]:\s<>"\\^`{|}]*)(?::\d*)?$/.test(host) &&
    // oxlint-disable-next-line no-control-regex -- Go refuses control characters
    !/[\u0000-\u001f\u007f]/.test(text) &&
    !/%(?![0-9A-Fa-f]{2})/.test(path)
  if (!isValid) return undefined
  return {
    scheme: scheme.toLowerCase(),
    host,
    path,
    hasUser: user !== undefined,
    hasQueryOrFragment: (query ?? '?') !== '?' || (fragment ?? '#') !== '#',
  }
}

/** Host and port of `HOST[:PORT]`; IPv6 addresses lose their brackets. */
export function splitHostPort(host: string): {readonly name: string; readonly port?: string} {
  const [, bracketed, plain = host, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(host) ?? []
  return {name: bracketed ?? plain, port: port === undefined || port === '' ? undefined : port}
}

/** True for localhost, 127.0.0.0/8 and ::1, by the name alone. */
export function isLoopback(host: string): boolean {
  const {name} = splitHostPort(host)
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}
