import {
  formatReference,
  isDigest,
  messageOf,
  MirrorError,
  parseReference,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {partsInLock, type LockedPart} from './locked-parts.js'
import {isLockFile} from './lock-file.js'

export interface ListedImage {
  readonly source: Reference
  /** A second column, as written: where the image goes. */
  readonly target?: string
  readonly line: number
  /** The platforms of its index, in a lock file. */
  readonly parts?: readonly LockedPart[]
}

/** The first line of a list that a run wrote when it had nothing to put into it. */
export const NOTHING_FAILED = '# mirror: nothing failed'

/** Returns true if a run wrote the list and had nothing to put into it. Such an empty list is no mistake. */
export function saysNothingFailed(text: string): boolean {
  return text.trim() === NOTHING_FAILED
}

export interface NamedList {
  /** For messages. */
  readonly name: string
  readonly text: string
}

/**
 * Reads a list such as `k3s-images.txt`: one reference a line, blank lines, `#` comments and CRLF allowed, and an
 * optional second column with the target. Charts are references like any other: Helm's `+` in a version is `_` in a
 * tag.
 *
 * `rancher-images-sources.txt` and `rancher-images-origins.txt` have in their second column what needs the image:
 * charts, several with commas between, or a URL. No target has either; if one line has, and none has a path, the column
 * is a remark in all of them.
 * @throws {MirrorError} LIST_INVALID naming every bad line with its number
 */
export function parseImageList(text: string, name: string): readonly ListedImage[] {
  const {images, problems} = readList(text)
  if (problems.length > 0) throw badLines(name, problems)
  return images
}

/**
 * Reads many lists as a single list. A line that is in several lists counts once.
 * @throws {MirrorError} LIST_INVALID naming every bad line of all of them
 */
export function parseImageLists(lists: readonly NamedList[]): readonly ListedImage[] {
  const read = lists.map(({name, text}) => ({name, ...readList(text)}))
  const bad = read.filter(({problems}) => problems.length > 0)
  if (bad.length > 0) {
    const texts = bad.map(({name, problems}) => badLines(name, problems).message)
    throw new MirrorError('LIST_INVALID', texts.join('; '))
  }
  const seen = new Set<string>()
  return read.flatMap(({images}) =>
    images.filter(({source, target}) => {
      const key = JSON.stringify([source, target])
      return !seen.has(key) && seen.add(key)
    }),
  )
}

/**
 * Reads a `--map` file: lines `SOURCE TARGET`. A source is a reference, a digest, or the bundle's own text for an unnamed image.
 * @throws {MirrorError} LIST_INVALID naming every bad line
 */
export function parseMapFile(
  text: string,
  name: string,
  keyOf: (name: Reference) => string,
): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  const problems: string[] = []
  for (const [index, [source, target, ...rest]] of columnsOf(text)) {
    if (target === undefined || rest.length > 0) problems.push(`line ${index + 1}: not SOURCE TARGET`)
    else for (const key of keysOf(source, keyOf)) map.set(key, target)
  }
  if (problems.length > 0) throw badLines(name, problems)
  return map
}

function readList(text: string): {
  readonly images: readonly ListedImage[]
  readonly problems: readonly string[]
} {
  const images: ListedImage[] = []
  const problems: string[] = []
  const parts = isLockFile(text) ? partsInLock(text) : undefined
  if (/^kind:\s*['"]?ImageSetConfiguration\b/m.test(text)) {
    return {images, problems: ['this is an ImageSetConfiguration of oc-mirror, and not a list of images']}
  }
  // No line of a key is repeated in a message.
  if (/^-----BEGIN /m.test(text)) return {images, problems: ['this is a key or a certificate in PEM']}
  const lines = columnsOf(text)
  const remarked = hasRemarks(lines)
  for (const [index, [written, column, ...rest]] of lines) {
    try {
      if (rest.length > 0) throw new MirrorError('LIST_INVALID', 'more than two columns')
      const image = readImage(written, remarked ? undefined : column)
      images.push({...image, line: index + 1, parts: parts?.get(formatReference(image.source))})
    } catch (error) {
      problems.push(`line ${index + 1}: ${messageOf(error)}`)
    }
  }
  return {images, problems}
}

/**
 * Reads one image as a line of a list has it: `SOURCE [TARGET]`.
 * @throws {MirrorError} LIST_INVALID, NAME_INVALID
 */
export function parseListedImage(text: string): Omit<ListedImage, 'line'> {
  const [source = '', target, ...rest] = columnsIn(text)
  if (rest.length > 0) throw new MirrorError('LIST_INVALID', 'more than two columns')
  return readImage(source, target)
}

function readImage(source: string, target: string | undefined): Omit<ListedImage, 'line'> {
  if (/^[a-z-]+:\/\/[^=]+=|^[^=]+\/[^=]+=[^=]+\//.test(source)) {
    throw new MirrorError(
      'LIST_INVALID',
      'this is a line of mapping.txt of oc-mirror: only what is before the = is an image',
    )
  }
  refuseLogin(source)
  if (target !== undefined) checkTarget(target)
  return {source: parseReference(asTagged(withoutScheme(source))), target}
}

/** `docker://` and `oci://` say only that a reference follows. */
function withoutScheme(written: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(written)?.[1]?.toLowerCase()
  if (scheme === undefined) return written
  const rest = written.slice(scheme.length + 3)
  if (scheme === 'docker' || scheme === 'oci') return rest
  throw new MirrorError(
    'LIST_INVALID',
    `leave out ${scheme}:// in front of ${JSON.stringify(rest.slice(0, 200))}`,
  )
}

/** Helm writes the `+` of a chart's version, which tags cannot have, as `_`. */
function asTagged(written: string): string {
  const at = written.indexOf('@')
  const name = at < 0 ? written : written.slice(0, at)
  const colon = name.lastIndexOf(':')
  if (colon <= name.lastIndexOf('/')) return written
  return written.slice(0, colon) + name.slice(colon).replaceAll('+', '_') + written.slice(name.length)
}

function hasRemarks(lines: readonly (readonly [number, Columns])[]): boolean {
  const columns = lines.flatMap(([, [, column]]) => (column === undefined ? [] : [column]))
  return (
    columns.some((column) => column.includes(',') || column.includes('://')) &&
    columns.every((column) => !column.includes('/') || column.includes('://'))
  )
}

/** The line is not repeated: it may hold a password. */
function refuseLogin(written: string): void {
  const at = written.indexOf('@')
  if (at >= 0 && !isDigest(written.slice(at + 1))) {
    throw new MirrorError('LIST_INVALID', 'an @ that no sha256 or sha512 digest follows, or a login')
  }
}

/** A target reads as a reference does, with or without the private registry's host. */
function checkTarget(target: string): void {
  refuseLogin(target)
  try {
    parseReference(target)
  } catch (cause) {
    throw new MirrorError('LIST_INVALID', `the target in its second column: ${messageOf(cause)}`, {cause})
  }
}

type Columns = readonly [first: string, ...rest: string[]]

/** The columns of each line that is not blank, without its comment, with the line's index from 0. */
function columnsOf(text: string): readonly (readonly [number, Columns])[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, index) => {
      const [first, ...rest] = columnsIn(line.replace(/(?:^|[ \t])#[^]*$/, ''))
      return first === undefined ? [] : [[index, [first, ...rest]] as const]
    })
}

/** Only spaces and tabs separate columns: other spaces may not be seen, and would choose a target. */
function columnsIn(line: string): readonly string[] {
  return withoutMarks(line)
    .split(/[ \t]+/)
    .filter((column) => column !== '')
}

/** Without the dash of a list in YAML, and the quotes around a word. */
function withoutMarks(line: string): string {
  return line.replace(/^[ \t]*- +/, '').replaceAll(/(?<=^|[ \t])(["'])(\S*)\1(?=[ \t]|$)/g, '$2')
}

function keysOf(source: string, keyOf: (name: Reference) => string): readonly string[] {
  if (isDigest(source)) return [source]
  try {
    return [source, keyOf(parseReference(source))]
  } catch {
    // not a reference: an unnamed image's digest or hint, which the bundle spells as it likes
    return [source]
  }
}

function badLines(name: string, problems: readonly string[]): MirrorError {
  return new MirrorError(
    'LIST_INVALID',
    [`${name}: ${problems.length} bad line${problems.length === 1 ? '' : 's'}`, ...problems].join('; '),
  )
}
