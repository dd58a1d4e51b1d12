import {
  formatPlatform,
  formatReference,
  MirrorError,
  type CallOptions,
  type ImageSource,
  type Platform,
} from '@airgap-mirror/oci-client/model'
import {identityOf, type Pair} from './pair.js'
import type {NamedPair} from './referrer-pairs.js'
import {platformOf} from './select.js'

export interface OneNameOptions extends CallOptions {
  readonly source: ImageSource
  /** Told of images that were not chosen among those of one name. */
  readonly onWarning?: (text: string) => void
}

/**
 * Settles what becomes of different images that the source calls by one name: those whose digest the user mapped go by it,
 * and the others are left out with a warning. If none is mapped, each becomes an error, and the rest of the source goes on.
 */
export async function settleNames(
  named: readonly NamedPair[],
  options: OneNameOptions,
): Promise<readonly NamedPair[]> {
  const groups = new Map<string, NamedPair[]>()
  for (const one of named) {
    const {target, label} = one.pair
    if (target === undefined || identityOf(one.pair) === undefined) continue
    const key = `${label.source} ${formatReference(target)}`
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  const settled = new Map<NamedPair, NamedPair | undefined>()
  for (const group of groups.values()) {
    const identities = new Set(group.map(({pair}) => identityOf(pair)))
    if (identities.size < 2) continue
    const chosen = group.filter(({isMapped}) => isMapped === true)
    const error = chosen.length > 0 ? undefined : await undecided(group, options)
    for (const one of group) {
      if (one.isMapped === true) continue
      if (error === undefined) {
        settled.set(one, undefined)
        options.onWarning?.(
          `${one.pair.label.source} (${identityOf(one.pair)}) is left out: another image of this name was chosen`,
        )
      } else
        settled.set(one, {...one, pair: {target: one.pair.target, label: one.pair.label, image: {error}}})
    }
  }
  if (settled.size === 0) return named
  return named.flatMap((one) => {
    const other = settled.has(one) ? settled.get(one) : one
    return other === undefined ? [] : [other]
  })
}

async function undecided(group: readonly NamedPair[], options: OneNameOptions): Promise<MirrorError> {
  const byIdentity = new Map(group.map(({pair}) => [identityOf(pair) ?? '', pair] as const))
  const name = group[0]?.pair.label.source ?? ''
  const platforms = await Promise.all([...byIdentity.values()].map((pair) => platformIn(pair, options)))
  const texts = platforms.map((platform) => (platform === undefined ? undefined : formatPlatform(platform)))
  const areApart = texts.every((text) => text !== undefined) && new Set(texts).size === texts.length
  const list = [...byIdentity.keys()].map((digest, index) =>
    texts[index] === undefined ? digest : `${digest} for ${texts[index]}`,
  )
  return new MirrorError(
    'NAME_COLLISION',
    `${name} is the name of ${byIdentity.size} different images: ${list.join(', ')}`,
    {
      side: 'source',
      advice: areApart
        ? {kind: 'choose-platform-of-name'}
        : {kind: 'choose-digest', digest: [...byIdentity.keys()][0] ?? ''},
    },
  )
}

/** Undefined for an index, and if its config does not say. */
async function platformIn({image}: Pair, options: OneNameOptions): Promise<Platform | undefined> {
  if ('error' in image) return undefined
  if ('pending' in image) return platformOf(image.pending.config, options)
  const {manifest} = image.node
  return manifest.kind === 'image' ? platformOf(manifest.config, options) : undefined
}
