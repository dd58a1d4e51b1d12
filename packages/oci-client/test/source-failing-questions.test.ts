import {describe, expect, it} from 'vitest'
import {digestOf, mediaTypes} from '#src/model/index.js'
import {addImage, makeImage} from '../../../test/kit/index.js'
import type {Fault, TestRegistry} from '../../../test/registry/index.js'
import {rootOf, useSources} from './source-kit.js'

const {serve, open} = useSources()

/** Images with a signature under cosign's tag each, in a registry whose list of referrers fails. */
async function signedImages(
  count: number,
  fault: Fault,
): Promise<{readonly registry: TestRegistry; readonly names: readonly string[]}> {
  const registry = await serve({
    faults: [{match: {path: /\/referrers\//}, times: Infinity, fault}],
  })
  const names: string[] = []
  for (let number = 0; number < count; number++) {
    const image = await makeImage({seed: `failing ${number}`, layers: 1})
    await addImage(registry, image, {repository: `app${number}`, tag: 'v1'})
    const signature = await makeImage({seed: `signature ${number}`, layers: 1})
    const tag = `${image.root.descriptor.digest.replace(':', '-')}.sig`
    await addImage(registry, signature, {repository: `app${number}`, tag})
    names.push(`${registry.host}/app${number}:v1`)
  }
  return {registry, names}
}

describe('a list of referrers that fails', () => {
  const json = {'content-type': mediaTypes.ociIndex}
  const ofNull = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":null}`
  it.each<[string, Fault]>([
    ['401', {type: 'status', status: 401}],
    ['403', {type: 'status', status: 403}],
    ['406', {type: 'status', status: 406}],
    ['500', {type: 'status', status: 500}],
    ['503', {type: 'status', status: 503}],
    ['broken JSON', {type: 'status', status: 200, headers: json, body: '{"schemaVersion":2,'}],
    ['"manifests": null', {type: 'status', status: 200, headers: json, body: ofNull}],
  ])('with %s does not lose what cosign keeps under a tag', async (_how, fault) => {
    const {names} = await signedImages(1, fault)
    const source = open(names)
    const [image] = await source.images()
    if (image === undefined) throw new Error('no image')
    const found = await source.referrersOf(image)
    expect(found.map(({name}) => name?.tag)).toEqual([`${rootOf(image).digest.replace(':', '-')}.sig`])
  })

  it('with 500 is asked for a few times in a run, however many images there are', async () => {
    const {registry, names} = await signedImages(6, {type: 'status', status: 500})
    const warnings: string[] = []
    const source = open(names, {connect: {onWarning: (text) => warnings.push(text)}})
    for (const image of await source.images()) expect(await source.referrersOf(image)).toHaveLength(1)
    const asked = registry.requests.filter(({path}) => path.includes('/referrers/'))
    expect(asked.length).toBeLessThanOrEqual(4)
  })

  it('with 503 keeps nobody waiting who asks for something else', async () => {
    const {registry, names} = await signedImages(3, {type: 'status', status: 503})
    const waits: number[] = []
    const source = open(names, {
      connect: {retryMaxWait: 300_000, retries: 1, onRetry: ({wait}) => waits.push(wait)},
    })
    const images = await source.images()
    const [first] = images
    if (first === undefined) throw new Error('no image')
    const looking = source.referrersOf(first)
    for (const image of images) await source.manifest(rootOf(image))
    await looking
    expect(Math.max(0, ...waits)).toBeLessThanOrEqual(2000)
    expect(registry.requests.filter(({path}) => path.includes('/referrers/')).length).toBeLessThanOrEqual(4)
  })
})

describe('an image whose tag can be read and whose digest cannot', () => {
  it('is read by its tag', async () => {
    const image = await makeImage({seed: 'tagged', layers: 1})
    const registry = await serve({
      faults: [
        {
          match: {path: /manifests\/sha256:/},
          times: Infinity,
          fault: {type: 'status', status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'},
        },
      ],
    })
    await addImage(registry, image, {repository: 'app', tag: 'v1'})
    const source = open([`${registry.host}/app:v1`])
    const [found] = await source.images()
    if (found === undefined) throw new Error('no image')
    const manifest = await source.manifest(rootOf(found))
    expect(digestOf(manifest.bytes)).toBe(image.root.descriptor.digest)
  })

  it('is asked for once more if its tag has moved on, and is then told as incomplete at its registry', async () => {
    const image = await makeImage({seed: 'moved', layers: 1})
    const registry = await serve()
    await addImage(registry, image, {repository: 'app', tag: 'v1'})
    const source = open([`${registry.host}/app:v1`])
    const [found] = await source.images()
    if (found === undefined) throw new Error('no image')
    registry.setFaults([
      {match: {path: /manifests\//}, times: Infinity, fault: {type: 'status', status: 404}},
    ])
    registry.clearLog()
    await expect(source.manifest(rootOf(found))).rejects.toMatchObject({
      code: 'BLOB_MISSING',
      advice: {kind: 'complete-at-registry'},
    })
    expect(registry.requests.map(({path}) => path.split('/').at(-1)?.slice(0, 6))).toEqual([
      'sha256',
      'v1',
      'sha256',
    ])
  })
})
