import {
  formatReference,
  mediaTypes,
  type Descriptor,
  type Digest,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import {namePairs} from '#src/engine/name-pairs.js'
import {byRules} from '#src/engine/name-of.js'
import {gather} from '#src/engine/gather.js'
import {planMirror, type Plan} from '#src/engine/plan.js'
import type {TargetState} from '#src/engine/probe.js'
import {selectImages, type Choice} from '#src/engine/select.js'
import {parsePlatform} from '#src/names/platforms.js'
import type {SparsePolicy} from '#src/engine/sparse.js'
import type {MemorySource} from '@airgap-mirror/test/kit'

/** Names below `reg:5000/ns`, without the host of the source. */
export const rules = {
  registry: 'reg:5000',
  namespace: 'ns',
  mapHost: 'drop',
  rewrites: [],
  map: new Map<string, string>(),
  maxDepth: undefined,
} as const

interface Circumstances {
  readonly choice?: Partial<Choice>
  readonly sparse?: SparsePolicy
  readonly platforms?: readonly string[]
  /** Content already at the targets: formatted reference to digest. */
  readonly present?: Readonly<Record<string, Digest>>
  /** Content that the source lacks and the target has, as `repository@digest`. */
  readonly found?: readonly string[]
  /** Content that the target lacks below a tag that is there. */
  readonly lost?: readonly string[]
}

/** The plan for the images of a source, at a target in these circumstances. */
export async function planOf(source: MemorySource, given: Circumstances = {}): Promise<Plan> {
  const choice: Choice = {include: [], exclude: [], referrers: true, ...given.choice}
  const chosen = selectImages(await gather(source), choice)
  const platforms = (given.platforms ?? []).map(parsePlatform)
  const pairs = await namePairs(chosen, {source, nameOf: byRules(rules), platforms})
  const present = new Map(
    Object.entries(given.present ?? {}).map(([target, digest]): [string, Descriptor] => [
      target,
      {mediaType: mediaTypes.ociManifest, digest, size: 1},
    ]),
  )
  const state: TargetState = {
    registry: 'reg:5000',
    present,
    unclear: new Map(),
    failed: new Map(),
    known: new Map(),
    has: (repository, digest) => given.found?.includes(`${repository}@${digest}`) ?? false,
    lacks: (repository, digest) => given.lost?.includes(`${repository}@${digest}`) ?? false,
  }
  return planMirror({
    pairs,
    source,
    state,
    sparse: given.sparse ?? 'auto',
    manifests: new Map<Digest, Manifest>(),
  })
}

/** A plan as lines, in the order in which its transfers may run. */
export function shown({transfers}: Plan): readonly string[] {
  return transfers.map((transfer) =>
    transfer.kind === 'blob'
      ? `${transfer.id} blob ${transfer.repository}${transfer.after === undefined ? '' : ` after ${transfer.after}`}`
      : `${transfer.id} manifest ${formatReference(transfer.target).replace(/sha256:(.{6}).*/, '$1')} needs ${transfer.needs.join(',')}`,
  )
}

export const amd64 = {os: 'linux', architecture: 'amd64'}
export const arm64 = {os: 'linux', architecture: 'arm64'}
export function layer(source: MemorySource, text: string): Descriptor {
  return source.add(text, mediaTypes.ociLayerGzip)
}
