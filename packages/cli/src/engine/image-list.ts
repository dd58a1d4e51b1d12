import {messageOf, MirrorError, parseReference, type Reference} from '@airgap-mirror/oci-client/model'

export interface ListedImage {
  readonly source: Reference
  /** A second column, as written: where the image goes. */
  readonly target?: string
  readonly line: number
}

/**
 * Reads a list such as `k3s-images.txt`: one reference a line, blank lines, `#` comments and CRLF allowed, and an optional
 * second column with the target.
 * @throws {MirrorError} LIST_INVALID naming every bad line with its number
 */
export const parseImageList = (text: string, name: string): readonly ListedImage[] => {
  const images: ListedImage[] = []
  const problems: string[] = []
  for (const [index, [source, target, ...rest]] of columnsOf(text)) {
    try {
      if (rest.length > 0) throw new MirrorError('LIST_INVALID', 'more than two columns')
      images.push({
        source: parseReference(source),
        line: index + 1,
        ...(target === undefined ? {} : {target}),
      })
    } catch (error) {
      problems.push(`line ${index + 1}: ${messageOf(error)}`)
    }
  }
  if (problems.length > 0) throw badLines(name, problems)
  return images
}

/**
 * Reads a `--map` file: lines `SOURCE TARGET`. A source is a reference, a digest, or what the bundle calls an unnamed image.
 * @throws {MirrorError} LIST_INVALID naming every bad line
 */
export const parseMapFile = (
  text: string,
  name: string,
  keyOf: (name: Reference) => string,
): ReadonlyMap<string, string> => {
  const map = new Map<string, string>()
  const problems: string[] = []
  for (const [index, [source, target, ...rest]] of columnsOf(text)) {
    if (target === undefined || rest.length > 0) problems.push(`line ${index + 1}: not SOURCE TARGET`)
    else for (const key of keysOf(source, keyOf)) map.set(key, target)
  }
  if (problems.length > 0) throw badLines(name, problems)
  return map
}

type Columns = readonly [first: string, ...rest: string[]]

/** What is on each line that says something, without its comment, with the line's place. */
const columnsOf = (text: string): readonly (readonly [number, Columns])[] =>
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, index) => {
      const [first = '', ...rest] = line
        .replace(/(?:^|\s)#.*$/, '')
        .trim()
        .split(/\s+/)
      return first === '' ? [] : [[index, [first, ...rest]] as const]
    })

const keysOf = (source: string, keyOf: (name: Reference) => string): readonly string[] => {
  try {
    return [source, keyOf(parseReference(source))]
  } catch {
    // not a reference: an unnamed image's digest or hint, which the bundle spells as it likes
    return [source]
  }
}

const badLines = (name: string, problems: readonly string[]): MirrorError =>
  new MirrorError(
    'LIST_INVALID',
    [`${name}: ${problems.length} bad line${problems.length === 1 ? '' : 's'}`, ...problems].join('; '),
  )
