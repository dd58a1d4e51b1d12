import {describe, expect, test} from 'vitest'
import {formatReference} from '@airgap-mirror/oci-client/model'
import {seededRandom, shuffled, timesTried} from '@airgap-mirror/test/kit'
import {divide, type SizedImage} from '#src/job/divide.js'
import {parseShard} from '#src/job/shard.js'

/** Repositories of very different sizes, some of which have one name at two hosts. */
function randomImages(random: () => number, {sized}: {readonly sized: boolean}): readonly SizedImage[] {
  const repositories = 1 + Math.floor(random() * 60)
  return Array.from({length: repositories}, (_, repository) => repository).flatMap((repository) =>
    Array.from({length: 1 + Math.floor(random() ** 4 * 60)}, (_, tag) => ({
      source: {
        registry: random() < 0.8 ? 'gcr.io' : 'quay.io',
        repository: `team/app${repository % 50}`,
        tag: `v${tag}`,
      },
      bytes: sized ? Math.floor(random() ** 6 * 1e10) : undefined,
    })),
  )
}

function distinctIn(images: readonly SizedImage[]): readonly SizedImage[] {
  const inOrder = images.toSorted((one, other) => (one.bytes ?? 0) - (other.bytes ?? 0))
  return [...new Map(inOrder.map((image) => [formatReference(image.source), image])).values()]
}

function loadsOf(
  images: readonly SizedImage[],
  {count, weigh}: {readonly count: number; readonly weigh: (image: SizedImage) => number},
): readonly number[] {
  const {shardOf} = divide(images, {count, isListed: false})
  const loads = Array.from({length: count}, () => 0)
  for (const image of distinctIn(images)) {
    const shard = shardOf(image.source)
    expect(shard).toSatisfy((at: number) => Number.isInteger(at) && at >= 0 && at < count)
    loads[shard] = (loads[shard] ?? 0) + weigh(image)
  }
  return loads
}

describe.each([
  ['bytes', true],
  ['images', false],
] as const)('a division by %s', (by, sized) => {
  const weigh = ({bytes = 1}: SizedImage): number => Math.max(1, bytes)

  test('gives every image to one shard, the same for any order of the list, and no shard more than its share and one unit', () => {
    for (let round = 0; round < timesTried(60); round++) {
      const seed = `${by} ${Math.random()}`
      const random = seededRandom(seed)
      const images = randomImages(random, {sized})
      const count = 1 + Math.floor(random() * 20)
      const division = divide(images, {count, isListed: false})
      const again = divide(shuffled(images, seed), {count, isListed: false})
      const shards = images.map(({source}) => division.shardOf(source))
      expect({seed, by: division.by}).toEqual({seed, by})
      expect({seed, plan: again.plan}).toEqual({seed, plan: division.plan})
      expect({seed, shards: images.map(({source}) => again.shardOf(source))}).toEqual({seed, shards})

      const loads = loadsOf(images, {count, weigh})
      const distinct = distinctIn(images)
      const total = distinct.reduce((sum, image) => sum + weigh(image), 0)
      expect({seed, sum: loads.reduce((sum, load) => sum + load, 0)}).toEqual({seed, sum: total})
      // A repository over the share is cut, so that a unit is at most a share or one version, here of two hosts.
      const most = total / count + Math.max(total / count, ...distinct.map((image) => 2 * weigh(image)))
      expect({seed, isEven: Math.max(...loads) <= most}).toEqual({seed, isEven: true})
    }
  })

  test('keeps a repository in one shard, at whatever hosts it is, unless it is larger than a share', () => {
    const images = Array.from({length: 400}, (_, index): SizedImage => ({
      source: {registry: index % 2 ? 'gcr.io' : 'quay.io', repository: `r${index % 40}`, tag: `v${index}`},
      bytes: sized ? 1000 + index : undefined,
    }))
    const {shardOf} = divide(images, {count: 8, isListed: false})
    const shards = new Map<string, Set<number>>()
    for (const {source} of images)
      shards.set(source.repository, (shards.get(source.repository) ?? new Set()).add(shardOf(source)))
    expect([...shards.values()].map(({size}) => size)).toEqual(Array.from({length: 40}, () => 1))
  })
})

test('a catalogue of usual images is divided to within a twentieth', () => {
  const random = seededRandom('catalogue')
  const images = Array.from({length: 10_000}, (_, index): SizedImage => ({
    source: {registry: 'gcr.io', repository: `team/app${Math.floor(random() ** 2 * 900)}`, tag: `v${index}`},
    bytes: Math.floor(1e6 * 10 ** (3 * random())),
  }))
  for (const count of [2, 8, 16]) {
    const loads = loadsOf(images, {count, weigh: ({bytes = 0}) => bytes})
    const share = loads.reduce((sum, load) => sum + load, 0) / count
    expect(Math.max(...loads) / share).toBeLessThan(1.05)
  }
})

test('one repository with all images is cut', () => {
  const images = Array.from({length: 160}, (_, index): SizedImage => ({
    source: {
      registry: 'quay.io',
      repository: 'release/art',
      digest: `sha256:${String(index).padStart(64, '0')}`,
    },
  }))
  expect(loadsOf(images, {count: 8, weigh: () => 1})).toEqual(Array.from({length: 8}, () => 20))
})

test('a tag, with and without a digest and at two hosts, is in one shard, even if its repository is cut', () => {
  const images = Array.from({length: 40}, (_, index) => {
    const tag = `v${index}`
    const digest = `sha256:${String(index).padStart(64, '0')}` as const
    const names = [
      {registry: 'quay.io', tag},
      {registry: 'quay.io', tag, digest},
      {registry: 'gcr.io', tag},
    ]
    return names.map((name): SizedImage => ({source: {repository: 'team/app', ...name}}))
  })
  const {shardOf} = divide(images.flat(), {count: 7, isListed: false})
  const shards = images.map((names) => new Set(names.map(({source}) => shardOf(source))))
  expect(shards.map(({size}) => size)).toEqual(images.map(() => 1))
  expect(new Set(images.flat().map(({source}) => shardOf(source))).size).toBe(7)
})

test('repositories that are listed go by their path, whatever else is named and whatever tags they have', () => {
  const named = randomImages(seededRandom('named'), {sized: true})
  const one = divide(named, {count: 8, isListed: true})
  const other = divide([], {count: 8, isListed: true})
  expect(one).toMatchObject({by: 'repository', plan: other.plan})
  const repository = 'team/app'
  const shards = ['v1', 'v2', undefined].map((tag) => one.shardOf({registry: 'gcr.io', repository, tag}))
  expect(new Set([...shards, other.shardOf({registry: 'quay.io', repository})]).size).toBe(1)
  const loads = Array.from({length: 8}, () => 0)
  for (let index = 0; index < 8000; index++) {
    const shard = one.shardOf({registry: 'gcr.io', repository: `team/app${index}`})
    loads[shard] = (loads[shard] ?? 0) + 1
  }
  expect(Math.max(...loads)).toBeLessThan(1200)
})

test('one image without a size is enough to divide by images', () => {
  const images = randomImages(seededRandom('sized'), {sized: true})
  expect(divide(images, {count: 3, isListed: false}).by).toBe('bytes')
  const source = {registry: 'gcr.io', repository: 'new', tag: 'v1'}
  expect(divide([...images, {source}], {count: 3, isListed: false}).by).toBe('images')
})

test('0/1 is the whole job', () => {
  expect(parseShard('0/1')).toBeUndefined()
})

test.each(['0/2', '7/8', '999/1000'])('%s is a shard', (text) => {
  expect(parseShard(text)).toEqual({
    index: Number(text.split('/')[0]),
    count: Number(text.split('/')[1]),
  })
})

test.each([
  ['8/8', /there is no shard 8 of 8/],
  ['1', /is not I\/N/],
  ['0/0', /is not I\/N/],
  ['-1/8', /is not I\/N/],
  ['0/1001', /N from 1 to 1000/],
  ['/8', /is not I\/N/],
  ['1.5/8', /is not I\/N/],
])('%s is no shard', (text, message) => {
  expect(() => parseShard(text)).toThrow(message)
})
