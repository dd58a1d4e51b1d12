import {messageOf} from '@airgap-mirror/oci-client/model'
import {isHost} from './aliases.js'
import {parseNormalizedName, parseRawName, type ImageName} from './image-name.js'
import type {Registries, ShortNameMode} from './registries.js'

export interface Candidates {
  /** Full names, in the order in which they are pulled. */
  readonly names: readonly ImageName[]
  /** The rule by which a short name became them, in words. */
  readonly how?: string
  /** Set if the names cannot be chosen from without a terminal. */
  readonly ambiguity?: string
}

/**
 * Returns the full names that a typed name may stand for: itself, the target of its alias, or one for each search registry.
 * @throws {Error} worded as containers/image does
 */
export function resolveShortName(
  typed: string,
  {registries, mode}: {readonly registries: Registries; readonly mode: ShortNameMode},
): Candidates {
  const raw = parseName(typed, parseRawName)
  if (isHost(raw.domain)) return {names: [parseName(typed, parseNormalizedName)]}
  const short = raw.domain === undefined ? raw.path : `${raw.domain}/${raw.path}`
  const version = `${raw.tag === undefined ? '' : `:${raw.tag}`}${raw.digest === undefined ? '' : `@${raw.digest}`}`
  const alias = registries.aliases.get(short)
  if (alias?.target !== undefined)
    return {
      names: [parseNormalizedName(alias.target + version)],
      how: `${alias.at}: alias of ${short}`,
    }
  const {search, searchFile} = registries
  if (search.length === 0) {
    const where =
      searchFile === undefined
        ? 'no containers-registries.conf(5) was found'
        : `no unqualified-search registries are defined in "${searchFile}"`
    throw new Error(`short-name "${typed}" did not resolve to an alias and ${where}`)
  }
  const names = search.map((host) => parseNormalizedName(`${host}/${typed}`))
  const how = `${searchFile}: unqualified-search-registries`
  if (mode !== 'enforcing' || names.length === 1) return {names, how}
  return {names, how, ambiguity: 'short-name resolution enforced but cannot prompt without a TTY'}
}

/** With a tag, `latest` if there is none, or a digest; both only if the runtime refuses that. */
export function withVersion(name: ImageName): ImageName {
  return name.tag === undefined && name.digest === undefined ? {...name, tag: 'latest'} : name
}

function parseName<T>(typed: string, parse: (text: string) => T): T {
  try {
    return parse(typed)
  } catch (cause) {
    throw new Error(`cannot parse input: ${JSON.stringify(typed)}: ${messageOf(cause)}`, {cause})
  }
}

/** The digest alone, if there is one. */
export function withoutTag(name: ImageName): ImageName {
  if (name.tag === undefined || name.digest === undefined) return name
  const {tag: _tag, ...others} = name
  return others
}
