/**
 * Simulates a first fill by N shards, and shows where the registry becomes the limit. No byte is sent: it is a model of cards, a
 * registry and its requests, with the program's own division.
 *
 *   node test/dist/bench/shards.js [--images N] [--card MB/s] [--registry MB/s] [--requests N/s] [--latency MS]
 */
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {parseArgs} from 'node:util'
import type {Reference} from '@airgap-mirror/oci-client/model'
import {seededRandom} from '../kit/index.js'
import {simulate, type ModelBlob, type ModelImage, type Network} from './shards-model.js'

interface DivideModule {
  readonly divide: (
    images: readonly {readonly source: Reference; readonly bytes?: number}[],
    options: {readonly count: number; readonly isListed: boolean},
  ) => {readonly by: string; readonly shardOf: (source: Reference) => number}
}

const {values} = parseArgs({
  options: {
    images: {type: 'string', default: '10000'},
    card: {type: 'string', default: '125'},
    registry: {type: 'string', default: '1000'},
    requests: {type: 'string', default: '500'},
    latency: {type: 'string', default: '10'},
  },
})
const MB = 1e6
const network: Network = {
  card: Number(values.card) * MB,
  registry: Number(values.registry) * MB,
  requests: Number(values.requests),
  latency: Number(values.latency) / 1000,
  concurrency: 8,
}
const cli = dirname(createRequire(import.meta.url).resolve('@airgap-mirror/cli'))
const {divide} = (await import(pathToFileURL(join(cli, 'job', 'divide.js')).href)) as DivideModule

const images = catalogue(Number(values.images))
const named = images.map((image) => ({source: referenceOf(image), bytes: sum(image.blobs)}))
const distinct = new Map(images.flatMap((image) => image.blobs.map((blob) => [blob.key, blob] as const)))
print(
  `${images.length} images, ${distinct.size} blobs, ${gigabytes(sum([...distinct.values()]))} GB; card ${values.card} MB/s, ` +
    `registry ${values.registry} MB/s and ${values.requests} requests/s, ${values.latency} ms`,
)
row([
  'shards',
  'hours',
  'speed-up',
  'GB sent',
  'most/mean',
  'registry',
  'requests',
  'by images',
  'by paths',
  'no change',
])
let one = 0
for (const count of [1, 2, 4, 8, 12, 16, 32]) {
  const {seconds, bytes, requests, unevenness} = run(count, 'bytes')
  one ||= seconds
  row([
    `${count}`,
    hours(seconds),
    (one / seconds).toFixed(1),
    gigabytes(bytes),
    unevenness.toFixed(2),
    percent(bytes / network.registry / seconds),
    percent(requests / network.requests / seconds),
    hours(run(count, 'images').seconds),
    hours(run(count, 'repository').seconds),
    `${Math.round(run(count, 'images', {isUnchanged: true}).seconds)} s`,
  ])
}

/** @param options.isUnchanged a night in which everything is there already */
function run(
  count: number,
  by: 'bytes' | 'images' | 'repository',
  {isUnchanged = false}: {readonly isUnchanged?: boolean} = {},
) {
  const known = by === 'bytes' ? named : named.map(({source}) => ({source}))
  const {shardOf} = divide(known, {count, isListed: by === 'repository'})
  const shards = Array.from({length: count}, (): ModelImage[] => [])
  for (const image of images)
    shards[shardOf(referenceOf(image))]?.push(isUnchanged ? {...image, blobs: []} : image)
  return simulate(shards, network)
}

/** Few repositories have most tags. Tags of one share layers, and repositories share 40 bases. */
function catalogue(count: number): readonly ModelImage[] {
  const random = seededRandom('shards')
  const size = (most: number): number => Math.round(most * 10 ** (-3 * random()))
  const layers = (name: string, number: number, most: number): readonly ModelBlob[] =>
    Array.from({length: number}, (_, index) => ({key: `${name}/${index}`, bytes: size(most)}))
  const bases = Array.from({length: 40}, (_, index) => layers(`base${index}`, 3, 80 * MB))
  const repositories = Array.from({length: 900}, (_, index) => ({
    repository: `team/app${index}`,
    shared: [...(bases[Math.floor(random() * bases.length)] ?? []), ...layers(`app${index}`, 1, 300 * MB)],
  }))
  return Array.from({length: count}, (_, index) => {
    const {repository, shared} = repositories[Math.floor(random() ** 2 * repositories.length)] ?? {
      repository: 'other',
      shared: [],
    }
    return {
      repository,
      tag: `v${index}`,
      blobs: [...shared, ...layers(`${repository}:v${index}`, 3, 400 * MB)],
    }
  })
}

function referenceOf({repository, tag}: ModelImage): Reference {
  return {registry: 'gcr.io', repository, tag}
}

function sum(blobs: readonly ModelBlob[]): number {
  return blobs.reduce((total, {bytes}) => total + bytes, 0)
}

function gigabytes(bytes: number): string {
  return Math.round(bytes / 1e9).toString()
}

function hours(seconds: number): string {
  return (seconds / 3600).toFixed(2)
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

function row(cells: readonly string[]): void {
  print(cells.map((cell) => cell.padStart(11)).join(''))
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
