/** A name as containers/image parses it. Tag and digest may both be present, or neither. */
export interface ImageName {
  /** `host[:port]`. */
  readonly domain: string
  readonly path: string
  readonly tag?: string
  readonly digest?: string
}

const ALPHANUMERIC = '[a-z0-9]+'
const COMPONENT = `${ALPHANUMERIC}(?:(?:[._]|__|-+)${ALPHANUMERIC})*`
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const DOMAIN = `${LABEL}(?:\\.${LABEL})*(?::[0-9]+)?`
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const REFERENCE = new RegExp(
  `^(?:(${DOMAIN})/)?(${COMPONENT}(?:/${COMPONENT})*)(?::(\\w[\\w.-]{0,127}))?(?:@(${DIGEST}))?$`,
)
const DOMAIN_ONLY = new RegExp(`^${DOMAIN}$`)
const MAX_NAME = 255
/** Longer text is refused before the regular expression sees it. */
const MAX_TEXT = 1024

/** Returns true if containers/image reads the text as `host[:port]`. */
export function isDomain(text: string): boolean {
  return DOMAIN_ONLY.test(text)
}

/**
 * Reads a name without adding a registry: `domain` is undefined for a name without a slash. A first component
 * without a dot or a port counts as the domain, as in `team/app`.
 * @throws {Error} worded as containers/image does
 */
export function parseRawName(text: string): Omit<ImageName, 'domain'> & {readonly domain?: string} {
  const match = text.length > MAX_TEXT ? null : REFERENCE.exec(text)
  if (match === null) {
    if (text === '') throw new Error('repository name must have at least one component')
    if (text.length <= MAX_TEXT && REFERENCE.test(text.toLowerCase()))
      throw new Error('repository name must be lowercase')
    throw new Error('invalid reference format')
  }
  const [, domain, path = '', tag, digest] = match
  if ((domain === undefined ? path : `${domain}/${path}`).length > MAX_NAME)
    throw new Error(`repository name must not be more than ${MAX_NAME} characters`)
  return {
    path,
    domain,
    tag,
    digest,
  }
}

/**
 * Reads a name as `docker pull` does: no registry means docker.io, and one component there means `library/`.
 * @throws {Error} worded as containers/image does
 */
export function parseNormalizedName(text: string): ImageName {
  if (/^[a-f0-9]{64}$/.test(text))
    throw new Error(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const hasDomain = /[.:]/.test(first) || first === 'localhost'
  const domain = !hasDomain || first === 'index.docker.io' ? 'docker.io' : first
  const rest = hasDomain ? text.slice(slash + 1) : text
  const remainder = domain === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest
  if (/[A-Z]/.test(remainder.split(':', 1)[0] ?? ''))
    throw new Error('invalid reference format: repository name must be lowercase')
  const {path, tag, digest} = parseRawName(`${domain}/${remainder}`)
  return {
    domain,
    path,
    tag,
    digest,
  }
}

/** `domain/path`, without tag and digest. */
export function nameOnly({domain, path}: ImageName): string {
  return `${domain}/${path}`
}

export function formatName(name: ImageName): string {
  const tag = name.tag === undefined ? '' : `:${name.tag}`
  return `${nameOnly(name)}${tag}${name.digest === undefined ? '' : `@${name.digest}`}`
}
