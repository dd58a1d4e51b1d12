import {differenceOf, type Older} from '#src/commands/inspect/difference.js'
import {differenceLines} from '#src/commands/inspect/difference-text.js'
import {parseReference} from '@airgap-mirror/oci-client/model'
import {dockerArchive, makeImage, makeLayers, ociLayout, type TestImage} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {inspectEntries, named} from './inspect-kit.js'

function sizeOf(blobs: readonly {readonly descriptor: {readonly size: number}}[]): number {
  return blobs.reduce((sum, {descriptor}) => sum + descriptor.size, 0)
}

function wholeOf(image: TestImage): number {
  return sizeOf(image.blobs) + sizeOf(image.manifests)
}

async function release(images: Readonly<Record<string, TestImage>>, ...referrers: readonly TestImage[]) {
  const layout = Object.entries(images).map(([name, image]) => named(`quay.io/a/${name}`, image))
  return inspectEntries(ociLayout([...layout, ...referrers.map((image) => ({image}))]))
}

const base = await makeLayers({seed: 'diff-base', layers: 3})
const kept = await makeImage({seed: 'diff-kept'})
const gone = await makeImage({seed: 'diff-gone'})
const before = await makeImage({seed: 'diff-before', base})
const after = await makeImage({seed: 'diff-after', base})
const fresh = await makeImage({seed: 'diff-fresh'})

test('images are added, removed, changed or the same, with the bytes that are new', async () => {
  const older: Older = {inspection: await release({'kept:v1': kept, 'app:v1': before, 'gone:v1': gone})}
  const newer = await release({'kept:v1': kept, 'app:v1': after, 'fresh:v1': fresh, 'again:v1': fresh})
  const toCarry = wholeOf(after) - sizeOf(base)
  expect(differenceOf('old.tar', {older, newer})).toEqual({
    old: 'old.tar',
    exact: true,
    totals: {added: 2, removed: 1, changed: 1, same: 1},
    bytes: {toCarry: toCarry + wholeOf(fresh), present: wholeOf(kept) + sizeOf(base)},
    images: [
      {
        name: 'quay.io/a/kept:v1',
        status: 'same',
        oldDigest: kept.root.descriptor.digest,
        newDigest: kept.root.descriptor.digest,
        bytesToCarry: 0,
      },
      {
        name: 'quay.io/a/app:v1',
        status: 'changed',
        oldDigest: before.root.descriptor.digest,
        newDigest: after.root.descriptor.digest,
        bytesToCarry: toCarry,
      },
      {
        name: 'quay.io/a/fresh:v1',
        status: 'added',
        newDigest: fresh.root.descriptor.digest,
        bytesToCarry: wholeOf(fresh),
      },
      {
        name: 'quay.io/a/again:v1',
        status: 'added',
        newDigest: fresh.root.descriptor.digest,
        bytesToCarry: 0,
      },
      {
        name: 'quay.io/a/gone:v1',
        status: 'removed',
        oldDigest: gone.root.descriptor.digest,
        bytesToCarry: 0,
      },
    ],
  })
})

test('a new signature of an unchanged image has to be carried', async () => {
  const signature = await makeImage({
    seed: 'diff-signature',
    layers: 1,
    subject: kept.root.descriptor,
    artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  })
  const older: Older = {inspection: await release({'kept:v1': kept})}
  const newer = await release({'kept:v1': kept}, signature)
  expect(differenceOf('old.tar', {older, newer}).images).toMatchObject([
    {status: 'same', bytesToCarry: wholeOf(signature)},
  ])
})

test('a list of digests tells what is the same, and the bytes are the most there can be', async () => {
  const {digest} = kept.root.descriptor
  const older: Older = {
    images: [`quay.io/a/kept:v1@${digest}`, `quay.io/a/app:v1@${before.root.descriptor.digest}`].map(
      (name) => ({reference: parseReference(name)}),
    ),
  }
  const newer = await release({'kept:v1': kept, 'app:v1': after})
  expect(differenceOf('mirror.lock', {older, newer})).toMatchObject({
    exact: false,
    totals: {added: 0, removed: 0, changed: 1, same: 1},
    bytes: {toCarry: wholeOf(after), present: wholeOf(kept)},
  })
})

test('the referrers that a report names as images are no images that were removed', async () => {
  const signature = await makeImage({seed: 'diff-reported', layers: 1, subject: kept.root.descriptor})
  const {digest} = kept.root.descriptor
  const names = [
    `quay.io/a/kept:v1@${digest}`,
    `quay.io/a/kept@${signature.root.descriptor.digest}`,
    `quay.io/a/kept:${digest.replace(':', '-')}.sig@${gone.root.descriptor.digest}`,
    `quay.io/a/gone:v1@${gone.root.descriptor.digest}`,
  ]
  const older: Older = {images: names.map((name) => ({reference: parseReference(name)}))}
  const newer = await release({'kept:v1': kept}, signature)
  expect(differenceOf('report.json', {older, newer})).toMatchObject({
    totals: {added: 0, removed: 1, changed: 0, same: 1},
  })
})

test('an image that a docker-archive holds is the same if its config is', async () => {
  const archive = await inspectEntries(dockerArchive([{image: kept, tags: ['quay.io/a/kept:v1']}]))
  const newer = await release({'kept:v1': kept})
  expect(differenceOf('old.tar', {older: {inspection: archive}, newer}).images).toMatchObject([
    {status: 'same'},
  ])
})

test('the lines fit 80 columns and have both digests of a changed image', async () => {
  const older: Older = {inspection: await release({'kept:v1': kept, 'app:v1': before, 'gone:v1': gone})}
  const newer = await release({[`kept-${'x'.repeat(90)}:v1`]: kept, 'app:v1': after})
  const lines = differenceLines(differenceOf('old.tar', {older, newer}), {width: 80})
  expect(lines[0]).toBe('since old.tar: 1 image added, 1 changed, 2 removed, 0 the same')
  expect(lines[1]).toMatch(/^to carry: [\d.]+ kB of [\d.]+ kB$/)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  const short = ({root}: TestImage): string => root.descriptor.digest.slice(0, 19)
  expect(lines.map((line) => line.trim())).toContain(`${short(before)} -> ${short(after)}`)
})
