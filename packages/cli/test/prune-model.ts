import {digestOf, parseReference, type Digest, type Reference} from '@airgap-mirror/oci-client/model'
import type {KnownTag, KnownTags} from '#src/engine/known-tags.js'
import type {Plan} from '#src/engine/plan.js'
import {driftAt} from '#src/engine/sync/drift.js'
import {prune} from '#src/engine/sync/prune.js'
import type {SyncPair} from '#src/engine/sync/family-pairs.js'
import type {Surveyed} from '#src/engine/sync/survey.js'
import {rememberIntent, rememberPlanned, rememberPresent} from '#src/engine/sync/tag-memory.js'
import {ModelRegistry, repositoryOf} from './prune-model-registry.js'

interface Job {
  readonly wants: readonly string[]
  readonly extra: readonly string[]
  readonly referrers: boolean
  readonly prunes: boolean
}

export type Step =
  | {
      readonly type: 'run'
      readonly jobs: Readonly<Record<string, Job>>
      readonly killedAfter: number | undefined
    }
  | {readonly type: 'moves'; readonly name: string; readonly content: string}
  | {readonly type: 'meddled'; readonly name: string}

interface Wish {
  readonly keys: ReadonlySet<string>
  readonly referrers: boolean
}

const REGISTRY = 'registry.example'
const FOREIGN = 'app:foreign'

function hash(text: string): Digest {
  return digestOf(Buffer.from(text))
}
const FOREIGN_DIGEST = hash('foreign')
/** Contents are indexes; 1 and 2 have a child in common. */
function childOf(content: string): Digest {
  return hash(content === '3' ? 'child of 3' : 'child of 1 and 2')
}
const CONTENTS = new Map(['1', '2', '3'].map((content) => [hash(content), content]))
function signatureKey(repository: string, subject: Digest): string {
  return `${repository}:${subject.replace(':', '-')}.sig`
}

/**
 * A model of a registry, a source whose tags move, two owners, and another user. The ledger and its use are the program's.
 * Throws as soon as a tag is deleted that a job wants or that is not ours.
 */
export class PruneModel {
  readonly #registry: ModelRegistry
  readonly #source = new Map<string, string>()
  readonly #known = new Map<string, KnownTag>()
  /** The wishes of each owner in its last run, as far as the ledger could know them. */
  readonly #wishes = new Map<string, Wish>()

  constructor(deletion: 'on' | 'by-digest') {
    this.#registry = new ModelRegistry(deletion)
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'moves':
        this.#source.set(step.name, step.content)
        return
      case 'meddled':
        this.#registry.put(step.name, step.name === FOREIGN ? hash('1') : FOREIGN_DIGEST)
        return
      case 'run':
        await this.#run(step)
    }
  }

  /** No owner wants anything any more; the other user's tags go last. */
  async dropEverything(): Promise<void> {
    this.#wishes.clear()
    const nothing = {keys: new Set<string>(), referrers: false}
    for (let round = 0; round < 3; round += 1)
      for (const owner of ['a', 'b']) await this.#prune(owner, {own: nothing.keys, wishes: [nothing]})
    this.#registry.tags.delete(FOREIGN)
    for (let round = 0; round < 3; round += 1)
      for (const owner of ['a', 'b']) await this.#prune(owner, {own: nothing.keys, wishes: [nothing]})
  }

  /** The tags made here that are still at the registry or in the ledger. */
  leftOver(): readonly string[] {
    const ours = [...this.#registry.tags].filter(
      ([key, digest]) => key !== FOREIGN && digest !== FOREIGN_DIGEST,
    )
    return [...ours.map(([key]) => key), ...this.#known.keys()]
  }

  async #run({jobs, killedAfter = Number.POSITIVE_INFINITY}: Step & {type: 'run'}): Promise<void> {
    let left = killedAfter
    const all = Object.entries(jobs).map(([owner, job]) => ({owner, job, keys: new Set(keysOf(job))}))
    for (const {owner, job, keys} of all) {
      const before = this.#wishes.get(owner)
      this.#wishes.set(owner, {
        keys: new Set([...keys].filter((key) => before?.keys.has(key))),
        referrers: job.referrers && before?.referrers === true,
      })
      const synced = this.#sync(owner, {job, left})
      if (synced.isKilled) return
      left -= synced.puts
      this.#wishes.set(owner, {keys, referrers: job.referrers})
    }
    const wishes = all.map(({keys, job: {referrers}}) => ({keys, referrers}))
    for (const {owner, job, keys} of all) if (job.prunes) await this.#prune(owner, {own: keys, wishes})
  }

  #sync(
    owner: string,
    {job, left}: {readonly job: Job; readonly left: number},
  ): {readonly isKilled: boolean; readonly puts: number} {
    const how = job.referrers ? 'all referrers' : 'all'
    const making = {owner, how, now: Date.now()}
    const pairs: (SyncPair & {digest: Digest; with?: string[]})[] = []
    const companions = new Map<string, SyncPair & {digest: Digest; with: string[]}>()
    const surveyed: Surveyed[] = []
    for (const key of keysOf(job)) {
      const digest = this.#digestAtSource(key)
      const target = referenceOf(key)
      const found = key.includes('@') ? this.#registry.digestOf(key) : this.#registry.tags.get(key)
      const tag = this.#known.get(key)
      const names = {reference: target}
      const isAsBefore = tag?.how === how && tag.digest === found && found === digest
      const error = found === undefined || found === digest ? undefined : driftAt(target, {tag, found})
      if (error !== undefined) {
        surveyed.push({
          ...names,
          standings: [{target, key, verdict: {status: 'drifted', sourceDigest: digest, error}}],
        })
        continue
      }
      const verdict =
        found === digest
          ? ({status: 'present', sourceDigest: digest, targetDigest: digest} as const)
          : ({status: 'changed'} as const)
      surveyed.push({...names, standings: [{target, key, verdict, look: isAsBefore ? undefined : true}]})
      if (isAsBefore) continue
      pairs.push({pair: pairOf(target), key, digest})
      const content = CONTENTS.get(digest)
      if (!job.referrers || content === undefined) continue
      for (const subject of [digest, childOf(content)]) {
        const own = signatureKey(repositoryOf(key), subject)
        const known = companions.get(own) ?? {
          pair: pairOf(referenceOf(own)),
          key: own,
          with: [],
          digest: hash(`signature of ${subject}`),
        }
        known.with.push(key)
        companions.set(own, known)
      }
    }
    const planned = [...pairs, ...companions.values()]
    const plan: Plan = {
      images: planned.map(({key = '', digest}, root) => ({
        source: key,
        target: key,
        status: this.#registry.tags.get(key) === digest ? 'present' : 'planned',
        root,
        sourceDigest: digest,
      })),
      transfers: planned.map(({key = '', digest}, id) => ({
        kind: 'manifest',
        id,
        target: referenceOf(key),
        needs: [],
        image: id,
        digest,
      })),
    }
    rememberIntent(this.#ledger, {plan, pairs: planned}, making)
    let puts = 0
    for (const {key = '', digest} of planned) {
      if (puts >= left) return {isKilled: true, puts}
      puts += 1
      this.#registry.put(key, digest)
    }
    rememberPlanned(
      this.#ledger,
      {pairs: planned},
      {
        ...making,
        looked: new Set(),
        images: planned.map(({key = '', digest}) => ({
          source: key,
          target: key,
          status: 'pushed',
          sourceDigest: digest,
          targetDigest: digest,
          digestChanged: false,
          bytesUploaded: 0,
          attempts: 1,
        })),
      },
    )
    rememberPresent(this.#ledger, surveyed, {...making, index: 0, referrers: job.referrers})
    return {isKilled: false, puts}
  }

  async #prune(
    owner: string,
    {own, wishes}: {readonly own: ReadonlySet<string>; readonly wishes: readonly Wish[]},
  ): Promise<void> {
    const before = new Map(this.#registry.tags)
    await prune(
      {tags: this.#ledger, removeTag: this.#registry.removeTag},
      {
        owner,
        own,
        wanted: new Set(wishes.flatMap(({keys}) => [...keys])),
        registry: REGISTRY,
        namespaces: [''],
        max: 1000,
        dryRun: false,
        onEvent: () => undefined,
      },
    )
    for (const [key, digest] of before) if (!this.#registry.tags.has(key)) this.#mayHaveGone(key, digest)
    for (const {keys} of this.#wishes.values())
      for (const key of keys)
        if (key.includes('@') && this.#registry.digestOf(key) === undefined)
          throw new Error(`${key} went, and is wanted`)
  }

  #mayHaveGone(key: string, digest: Digest): void {
    if (key === FOREIGN || digest === FOREIGN_DIGEST) throw new Error(`${key} went, and was not ours`)
    for (const [owner, {keys, referrers}] of this.#wishes) {
      if (keys.has(key)) throw new Error(`${key} went, and ${owner} wants it`)
      for (const image of keys) {
        if (repositoryOf(image) !== repositoryOf(key)) continue
        const at = image.includes('@') ? this.#registry.digestOf(image) : this.#registry.tags.get(image)
        const content = at === undefined ? undefined : CONTENTS.get(at)
        if (at === undefined || content === undefined) continue
        const subjects = referrers ? [at, childOf(content)] : [at]
        if (subjects.some((subject) => signatureKey(repositoryOf(image), subject) === key))
          throw new Error(`${key} went, and is a signature of ${image}, which ${owner} wants`)
      }
    }
  }

  get #ledger(): KnownTags {
    const known = this.#known
    return {
      get: (key) => known.get(key),
      set: (key, tag) => void known.set(key, tag),
      delete: (key) => void known.delete(key),
      keys: () => [...known.keys()],
      save: () => Promise.resolve('kept'),
    }
  }

  #digestAtSource(key: string): Digest {
    const byDigest = /@(.+)$/.exec(key)?.[1]
    if (byDigest !== undefined) return byDigest as Digest
    const subject = /:sha256-([0-9a-f]+)\.sig$/.exec(key)?.[1]
    if (subject !== undefined) return hash(`signature of sha256:${subject}`)
    return hash(this.#source.get(key) ?? '1')
  }
}

function keysOf({wants, extra}: Job): readonly string[] {
  return [
    ...wants,
    ...extra.map((name) => {
      const digest = hash(name.at(-1) ?? '')
      return name.startsWith('digest') ? `app@${digest}` : signatureKey('app', digest)
    }),
  ]
}

function referenceOf(key: string): Reference & {readonly registry: string} {
  return parseReference(`${REGISTRY}/${key}`)
}

function pairOf(target: Reference): SyncPair['pair'] {
  const source = `${target.repository}:${target.tag ?? target.digest}`
  return {label: {source, target: source}, target, image: {error: new Error('not read') as never}}
}
