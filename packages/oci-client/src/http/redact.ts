/** Query parameters of the registry protocol that carry no secret, unlike `_state` and signed values. */
const SHOWN: ReadonlySet<string> = new Set([
  'account',
  'artifactType',
  'client_id',
  'digest',
  'digest-algorithm',
  'from',
  'last',
  'mount',
  'n',
  'ns',
  'scope',
  'service',
  'tag',
])

/**
 * Returns a URL that is safe to show, without user information and with query values masked unless known to be
 * harmless.
 */
export function redactUrl(url: string): string {
  const hash = url.indexOf('#')
  const whole = hash < 0 ? url : url.slice(0, hash)
  const question = whole.indexOf('?')
  const place = withoutUser(question < 0 ? whole : whole.slice(0, question))
  return question < 0
    ? place
    : `${place}?${whole
        .slice(question + 1)
        .split('&')
        .map(redactPair)
        .join('&')}`
}

/** Masks credentials and query values in text from outside, which may quote the request. */
export function redactText(text: string): string {
  return text
    .replace(/\b(Basic|Bearer) +[\w.~+/=-]{4,}/gi, '$1 ***')
    .replace(
      /([?&])([\w.~-]{1,100}=[^&\s"'<>]*)/g,
      (_match, mark: string, pair: string) => mark + redactPair(pair),
    )
    .replace(/(\/\/)[^\s/@]{1,500}@/g, '$1')
}

function withoutUser(place: string): string {
  const slashes = place.indexOf('//')
  if (slashes < 0) return place
  const start = slashes + 2
  const slash = place.indexOf('/', start)
  const end = slash < 0 ? place.length : slash
  const at = place.lastIndexOf('@', end - 1)
  return at < start ? place : place.slice(0, start) + place.slice(at + 1)
}

function redactPair(pair: string): string {
  const equals = pair.indexOf('=')
  if (equals < 0) return pair.length === 0 ? '' : '***'
  const name = pair.slice(0, equals)
  return SHOWN.has(name) ? pair : `${name}=***`
}
