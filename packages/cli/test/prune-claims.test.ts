import * as fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {timesTried} from '@airgap-mirror/test/kit'
import {digestOf, type Digest} from '@airgap-mirror/oci-client/model'
import type {KnownTag, KnownTags} from '#src/engine/known-tags.js'
import {disown, unwantedKeys} from '#src/engine/sync/prune-claims.js'
import {prune} from '#src/engine/sync/prune.js'
import {PruneModel, type Step} from './prune-model.js'

function hash(text: string): Digest {
  return digestOf(Buffer.from(text))
}
function tag(content: string, rest: Partial<KnownTag> = {}): KnownTag {
  return {
    source: `source.example/${content}:v1`,
    sourceDigest: hash(content),
    digest: hash(content),
    how: 'all',
    owners: ['a'],
    ...rest,
  }
}
function signatureOf(content: string, repository = 'app'): string {
  return `${repository}:${hash(content).replace(':', '-')}.sig`
}
function signature(of: string, ...images: readonly string[]): KnownTag {
  return tag(`signature of ${of}`, {owners: [], with: images})
}

function ledger(tags: Readonly<Record<string, KnownTag>>): KnownTags {
  const known = new Map(Object.entries(tags))
  return {
    get: (key) => known.get(key),
    set: (key, value) => void known.set(key, value),
    delete: (key) => void known.delete(key),
    keys: () => [...known.keys()],
    save: () => Promise.resolve('kept'),
  }
}
function claims(
  owner: string,
  {own = [], others = []}: {own?: readonly string[]; others?: readonly string[]},
) {
  return {
    owner,
    own: new Set(own),
    wanted: new Set([...own, ...others]),
  }
}

describe('what an owner no longer wants', () => {
  it('is what it alone has made, and neither it nor another job of the run wants', () => {
    const tags = ledger({
      'app:own': tag('1'),
      'app:dropped': tag('2'),
      'app:moved': tag('3'),
      'app:shared': tag('4', {owners: ['a', 'b']}),
      'app:theirs': tag('5', {owners: ['b']}),
    })
    expect(unwantedKeys(tags, claims('a', {own: ['app:own'], others: ['app:moved']}))).toEqual([
      'app:dropped',
    ])
  })

  it.each([
    ['wanted by the run', {own: ['app:latest']}, ['a']],
    ['wanted by another owner', {}, ['b']],
  ])('is no signature of a digest that has another tag, %s; it goes with that one', (_how, wants, owners) => {
    const key = signatureOf('1')
    const tags = ledger({
      'app:v1': tag('1'),
      'app:latest': tag('1', {owners}),
      [key]: signature('1', 'app:v1'),
    })
    expect(unwantedKeys(tags, claims('a', wants))).toEqual(['app:v1'])
    disown(tags, claims('a', wants))
    tags.delete('app:v1')
    expect(tags.get(key)?.with).toEqual(['app:latest'])
    expect(unwantedKeys(tags, claims(owners[0] ?? '', {}))).toEqual(['app:latest', key])
  })

  it('is no signature of a child of an index that has another tag, also where the first has moved on', () => {
    const key = signatureOf('a child')
    const tags = ledger({
      'app:v1': tag('index 2'),
      'app:latest': tag('index 1'),
      [key]: signature('a child', 'app:v1', 'app:latest'),
    })
    expect(unwantedKeys(tags, claims('a', {own: ['app:latest']}))).toEqual(['app:v1'])
    expect(unwantedKeys(tags, claims('a', {own: ['app:v1']}))).toEqual(['app:latest'])
    expect(unwantedKeys(tags, claims('a', {}))).toEqual(['app:v1', 'app:latest', key])
  })

  it('is no signature of a child of an index that another owner has, who looks for no signatures', () => {
    const key = signatureOf('a child')
    const tags = ledger({
      'app:v1': tag('index'),
      'app:latest': tag('index', {owners: ['b']}),
      [key]: signature('a child', 'app:v1'),
    })
    expect(unwantedKeys(tags, claims('a', {}))).toEqual(['app:v1'])
    disown(tags, claims('a', {}))
    tags.delete('app:v1')
    expect(unwantedKeys(tags, claims('b', {}))).toEqual(['app:latest', key])
  })

  it('is no signature that another list names', () => {
    const key = signatureOf('1')
    const tags = ledger({'app:v1': tag('1'), [key]: {...signature('1', 'app:v1'), owners: ['b']}})
    expect(unwantedKeys(tags, claims('a', {}))).toEqual(['app:v1'])
    disown(tags, claims('a', {}))
    expect(tags.get(key)).toMatchObject({owners: ['b']})
  })

  it('is no signature that was named once, as long as its image stays', () => {
    const tags = ledger({'app:v1': tag('1'), [signatureOf('1')]: tag('its signature')})
    expect(unwantedKeys(tags, claims('a', {own: ['app:v1']}))).toEqual([])
    disown(tags, claims('a', {own: ['app:v1']}))
    expect(unwantedKeys(tags, claims('a', {}))).toEqual(['app:v1', signatureOf('1')])
  })

  it('is no signature of what is wanted by its digest', () => {
    const tags = ledger({'app:v1': tag('1'), [signatureOf('1')]: signature('1', 'app:v1')})
    const byDigest = `app@${hash('1')}`
    expect(unwantedKeys(tags, claims('a', {own: [byDigest]}))).toEqual(['app:v1'])
  })

  it('is nothing of a signature whose image is not known at all, and which nobody else is to adopt', () => {
    const key = signatureOf('1')
    const tags = ledger({[key]: signature('1', 'app:v1')})
    disown(tags, claims('b', {}))
    expect(unwantedKeys(tags, claims('b', {}))).toEqual([])
    expect(tags.get(key)).toEqual(signature('1', 'app:v1'))
  })

  it('in one repository is nothing of another', () => {
    const tags = ledger({
      'app:v1': tag('1'),
      'other:v1': tag('1', {owners: ['b']}),
      [signatureOf('1')]: signature('1', 'app:v1'),
      [signatureOf('1', 'other')]: signature('1', 'other:v1'),
    })
    expect(unwantedKeys(tags, claims('a', {}))).toEqual(['app:v1', signatureOf('1')])
  })
})

describe('pruning', () => {
  const run = async (
    known: Record<string, KnownTag>,
    at: Record<string, string>,
    {namespaces = [''], own = []}: {readonly namespaces?: readonly string[]; readonly own?: string[]} = {},
  ) => {
    const tags = ledger(known)
    const notes: string[] = []
    const there = new Map(Object.entries(at).map(([key, content]) => [key, hash(content)]))
    const {images} = await prune(
      {
        tags,
        removeTag: ({repository, tag: name}, {digest}) => {
          const key = `${repository}:${name}`
          const found = there.get(key)
          if (found === undefined) return Promise.resolve({status: 'gone'})
          if (found !== digest) return Promise.resolve({status: 'changed', digest: found})
          there.delete(key)
          return Promise.resolve({status: 'deleted'})
        },
      },
      {
        ...claims('a', {own}),
        registry: 'registry.example',
        namespaces,
        max: 50,
        dryRun: false,
        onEvent: (event) => void (event.type === 'note' && notes.push(event.text)),
      },
    )
    return {tags, notes, there: [...there.keys()], statuses: images.map(({status}) => status)}
  }

  it.each([
    ['nothing before', {digest: undefined, intended: [hash('new')]}],
    ['something older before', {digest: hash('old'), intended: [hash('never put'), hash('new')]}],
  ])('takes away what a run had put that was cut off after it, with %s', async (_how, rest) => {
    const old = tag('old')
    const known = {
      ...old,
      digest: rest.digest === undefined ? undefined : old.digest,
      intended: rest.intended,
    }
    const {there, notes, statuses} = await run({'app:v1': known}, {'app:v1': 'new'})
    expect({there, notes, statuses}).toEqual({there: [], notes: [], statuses: ['pruned']})
  })

  it('removes nothing outside the namespaces of the job, whatever is remembered', async () => {
    const known = {
      'prod/app:latest': tag('forged'),
      'mirror/app:v1': tag('ours'),
      'placed/app:v1': tag('ours'),
    }
    const there = {'prod/app:latest': 'forged', 'mirror/app:v1': 'ours', 'placed/app:v1': 'ours'}
    const left = await run(known, there, {namespaces: ['mirror'], own: ['placed/app:v2']})
    expect(left.there).toEqual(['prod/app:latest'])
    expect((await run(known, there, {namespaces: ['pro', 'mirror/app']})).there).toHaveLength(3)
  })

  it('leaves what somebody else has put there after a run that was cut off', async () => {
    const known = {...tag('old'), intended: [hash('new')]}
    const {there, notes, statuses} = await run({'app:v1': known}, {'app:v1': 'theirs'})
    expect({there, statuses}).toEqual({there: ['app:v1'], statuses: []})
    expect(notes).toEqual([expect.stringContaining('somebody else has changed it')])
  })
})

describe('over any history of runs', () => {
  const names = fc.uniqueArray(fc.constantFrom('app:t1', 'app:t2', 'app:t3', 'two:t1'), {maxLength: 4})
  const job = fc.record({
    wants: names,
    /** Also signatures by their own names, and images by digest. */
    extra: fc.uniqueArray(fc.constantFrom('signature of 1', 'signature of 2', 'digest of 1', 'digest of 3')),
    referrers: fc.boolean(),
    prunes: fc.boolean(),
  })
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('run' as const),
        jobs: fc.dictionary(fc.constantFrom('a', 'b'), job, {minKeys: 1}),
        /** After how many tags the run is killed. */
        killedAfter: fc.option(fc.nat(6), {nil: undefined, freq: 5}),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant('moves' as const),
        name: fc.constantFrom('app:t1', 'app:t2', 'app:t3', 'two:t1'),
        content: fc.constantFrom('1', '2', '3'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('meddled' as const),
        name: fc.constantFrom('app:t1', 'app:t2', 'app:foreign', 'two:t1'),
      }),
    },
  )
  const seed = 20261121

  it.each(['on', 'by-digest'] as const)(
    `nothing goes that anybody wants, and in the end all goes that was made here (deletion %s, seed ${seed})`,
    async (deletion) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, {maxLength: 12}), async (steps) => {
          const model = new PruneModel(deletion)
          for (const one of steps) await model.take(one)
          await model.dropEverything()
          expect(model.leftOver()).toEqual([])
        }),
        {seed, numRuns: timesTried(200)},
      )
    },
  )
})
