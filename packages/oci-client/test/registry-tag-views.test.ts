import {expect, it} from 'vitest'
import {mediaTypes, type Digest} from '#src/model/index.js'
import {addImage, makeImage, makeManifest} from '../../../test/kit/index.js'
import type {TestRegistry} from '../../../test/registry/index.js'
import {kinds, useRegistries, type Connected} from './registry-kit.js'

const connected = useRegistries()
const repository = 'team/app'

/** A registry that deletes manifests alone, with one tag `v1`. */
async function filled(): Promise<Connected & {readonly digest: Digest}> {
  const {served, registry} = await connected({deletion: 'by-digest', missingContent: 'allow'})
  const image = await makeImage({seed: 'one'})
  await addImage(served, image, {repository, tag: 'v1'})
  return {served, registry, digest: image.root.descriptor.digest}
}

async function refusesToDelete({served, registry, digest}: Connected & {digest: Digest}): Promise<void> {
  const target = {registry: served.host, repository, tag: 'v1'}
  await expect(registry.deleteTag(target, {digest, mayGo: () => true})).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    side: 'target',
  })
  expect(served.tags(repository)).toContain('v1')
}

function addTag(served: TestRegistry, tag: string, manifest: {bytes: Uint8Array; mediaType: string}): void {
  return void served.addManifest({repository, reference: tag, ...manifest})
}

it('no more tags are looked at than can be, and nothing is deleted then', async () => {
  const given = await filled()
  const {bytes, mediaType} = given.served.manifest(repository, 'v1') ?? {
    bytes: Buffer.from(''),
    mediaType: '',
  }
  for (let index = 0; index < 10_000; index += 1) addTag(given.served, `n${index}`, {bytes, mediaType})
  await refusesToDelete(given)
  expect(kinds(given.served).filter((kind) => kind === 'manifest-head').length).toBe(1)
})

it('no more of indexes is held than can be, and nothing is deleted then', async () => {
  const given = await filled()
  const mediaType = mediaTypes.ociIndex
  const manifests = Array.from({length: 10_000}, (_, index) => ({
    mediaType: mediaTypes.ociManifest,
    digest: `sha256:${index.toString(16).padStart(64, '0')}`,
    size: 7,
  }))
  for (let index = 0; index < 41; index += 1) {
    const json = {schemaVersion: 2, mediaType, manifests, annotations: {index: `${index}`}}
    addTag(given.served, `index${index}`, {bytes: makeManifest(json, {mediaType}).bytes, mediaType})
  }
  await refusesToDelete(given)
  // The refused one for the tag, and none for a digest.
  expect(kinds(given.served).filter((kind) => kind === 'manifest-delete')).toHaveLength(1)
})
