import {formatReference, type Digest} from '@airgap-mirror/oci-client/model'
import type {ReportImage} from '../../report/report.js'
import type {KnownTag, KnownTags} from '../known-tags.js'
import type {Plan} from '../plan.js'
import type {TargetPlan} from './target-plan.js'
import {isDue, type Surveyed} from './survey.js'

/** In whose name, and by which choices, tags are made. */
export interface Making {
  readonly owner: string
  readonly how: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Records the digests a run is about to put, before the first byte. They count as ours even if the run is cut off. */
export function rememberIntent(
  tags: KnownTags,
  {plan, pairs}: Pick<TargetPlan, 'plan' | 'pairs'>,
  {owner, how}: Making,
): void {
  for (const [index, image] of plan.images.entries()) {
    const {key, with: parents, pair} = pairs[index] ?? {}
    if (key === undefined || image.status !== 'planned' || image.sourceDigest === undefined) continue
    const before = tags.get(key)
    tags.set(key, {
      source: pair?.label.source ?? image.source,
      sourceDigest: image.sourceDigest,
      how,
      ...before,
      ...claimed(before, {owner, parents}),
      intended: [...new Set([...(before?.intended ?? []), ...intendedIn(plan, image.root)])],
    })
  }
}

/** Records the results of a plan. `images` are its report entries, in the plan's order. */
export function rememberPlanned(
  tags: KnownTags,
  {pairs}: Pick<TargetPlan, 'pairs'>,
  {
    images,
    looked,
    ...making
  }: Making & {
    readonly images: readonly ReportImage[]
    /** The sources whose referrers were asked for. */
    readonly looked: ReadonlySet<string>
  },
): void {
  const incomplete = incompleteIn(pairs, images)
  for (const [index, image] of images.entries()) {
    const {key, with: parents, pair} = pairs[index] ?? {}
    const {source, sourceDigest, targetDigest} = image
    if (key === undefined || sourceDigest === undefined || targetDigest === undefined) continue
    if (!isThere(image)) continue
    const before = tags.get(key)
    const isComplete = !incomplete.has(key) && !incomplete.has(pair?.target?.repository ?? '')
    const last = looked.has(source) && isComplete ? making.now : before?.looked
    tags.set(key, {
      source,
      sourceDigest,
      digest: targetDigest,
      how: making.how,
      ...claimed(before, {owner: making.owner, parents}),
      looked: last,
    })
  }
}

function isThere({status}: ReportImage): boolean {
  return status === 'pushed' || status === 'present'
}

/**
 * Returns the images that lack a referrer, for which the next run has to ask again. By key; by repository if the referrer
 * goes by digest, because several images may be its subject.
 */
function incompleteIn(pairs: TargetPlan['pairs'], images: readonly ReportImage[]): ReadonlySet<string> {
  const incomplete = new Set<string>()
  for (const [index, {key, with: parents, pair}] of pairs.entries()) {
    const image = images[index]
    if (image === undefined || isThere(image)) continue
    const without = key === undefined ? pair.target?.repository : undefined
    for (const lacking of parents ?? (without === undefined ? [] : [without])) incomplete.add(lacking)
  }
  return incomplete
}

/** Records the images found unchanged at the target with the index. Claims tags it knows even if their image failed. */
export function rememberPresent(
  tags: KnownTags,
  surveyed: readonly Surveyed[],
  {index, referrers, owner, how, now}: Making & {readonly index: number; readonly referrers: boolean},
): void {
  for (const {reference, image, standings} of surveyed) {
    const {key, verdict, look} = standings[index] ?? {}
    const before = key === undefined ? undefined : tags.get(key)
    if (key !== undefined && before !== undefined) tags.set(key, {...before, ...claimed(before, {owner})})
    if (key === undefined || verdict?.status !== 'present' || look === true) continue
    const isAsked = image !== undefined
    // Without referrers there is nothing more to check.
    const last =
      isAsked && !referrers && (before === undefined || isDue(before, {now})) ? now : before?.looked
    // The first of two references to one name stays, so that the state is written only if something changed.
    const isSame = before?.sourceDigest === verdict.sourceDigest
    tags.set(key, {
      source: isSame ? before.source : formatReference(reference),
      sourceDigest: verdict.sourceDigest,
      digest: verdict.targetDigest,
      how,
      ...claimed(before, {owner}),
      looked: last,
    })
  }
}

/** Returns the reasons why a tag is there: the images it came along with, and the owners that want it by name. */
function claimed(
  before: KnownTag | undefined,
  {owner, parents}: {readonly owner: string; readonly parents?: readonly string[]},
): Pick<KnownTag, 'owners' | 'with'> {
  const {owners = [], with: known = []} = before ?? {}
  const all = [...new Set([...known, ...(parents ?? [])])]
  return {
    owners: parents !== undefined || owners.includes(owner) ? owners : [...owners, owner],
    with: all.length === 0 ? undefined : all,
  }
}

/** The digests that the transfer of a tag may put there. */
function intendedIn(plan: Plan, root: number | undefined): readonly Digest[] {
  const transfer = root === undefined ? undefined : plan.transfers[root]
  if (transfer?.kind !== 'manifest') return []
  return [transfer.digest, transfer.fallback?.digest].filter((digest) => digest !== undefined)
}
