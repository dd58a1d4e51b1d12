import {mediaTypes, type Descriptor, type SourceImage} from '@airgap-mirror/oci-client/model'
import {expect, it} from 'vitest'
import {namePairs} from '#src/engine/name-pairs.js'
import {byRules} from '#src/engine/name-of.js'
import {gather} from '#src/engine/gather.js'
import {selectImages} from '#src/engine/select.js'
import {MemorySource} from '@airgap-mirror/test/kit'
import {rules} from './plan-kit.js'

async function pairsOf(source: MemorySource) {
  const chosen = selectImages(await gather(source), {include: [], exclude: [], referrers: true})
  return namePairs(chosen, {source, nameOf: byRules(rules), platforms: []})
}

function layer(source: MemorySource, text: string): Descriptor {
  return source.add(text, mediaTypes.ociLayerGzip)
}

/** Returns the same image, which tells of each look at its subject. */
function watched(image: SourceImage, onLook: () => void): SourceImage {
  const {subject} = image
  if (subject === undefined) return image
  return {
    ...image,
    get subject() {
      onLook()
      return subject
    },
  }
}

it('a long chain of referrers, each about the one after it in the bundle, is followed with a few looks at each', async () => {
  const length = 2000
  let looks = 0
  const source = new MemorySource()
  const root = source.manifestOf([layer(source, 'app')])
  const chain: [Descriptor, Descriptor][] = []
  let subject = root
  for (let at = 0; at < length; at += 1) {
    const referrer = source.manifestOf([layer(source, `signature ${at}`)], {subject})
    chain.push([referrer, subject])
    subject = referrer
  }
  for (const [referrer, about] of chain.toReversed())
    source.image(undefined, referrer, {subject: about.digest})
  source.image('gcr.io/app:v1', root)
  const images = (await source.images()).map((image) => watched(image, () => void (looks += 1)))
  source.images = async () => images
  expect(await pairsOf(source)).toHaveLength(length + 1)
  expect(looks).toBeLessThanOrEqual(10 * length)
})

it('names times layers are refused where they would make a plan that no memory holds', async () => {
  const source = new MemorySource()
  const shared = source.manifestOf(Array.from({length: 5000}, (_, at) => layer(source, `layer ${at}`)))
  for (let at = 0; at < 1000; at += 1) source.image(`gcr.io/app-${at}:v1`, shared)
  await expect(pairsOf(source)).rejects.toMatchObject({code: 'LIMIT_EXCEEDED', side: 'source'})
})

it('as many shared layers under a hundred names are no trouble', async () => {
  const source = new MemorySource()
  const shared = source.manifestOf(Array.from({length: 5000}, (_, at) => layer(source, `layer ${at}`)))
  for (let at = 0; at < 100; at += 1) source.image(`gcr.io/app-${at}:v1`, shared)
  expect((await pairsOf(source)).length).toBe(100)
})

it('a descriptor with a wrong size neither spoils nor passes for the right one of the same content', async () => {
  const source = new MemorySource()
  const child = source.manifestOf([layer(source, 'app')])
  const sizes: number[] = []
  const counting = Object.create(source) as MemorySource
  counting.manifest = (descriptor) => {
    sizes.push(descriptor.size)
    return source.manifest(descriptor)
  }
  counting.images = () => source.images()
  counting.has = (content) => source.has(content)
  source.image('gcr.io/a:v1', source.indexOf([[{...child, size: 7}]]))
  source.image('gcr.io/b:v1', source.indexOf([[child]]))
  await gather(counting)
  expect(sizes).toContain(7)
  expect(sizes).toContain(child.size)
})
