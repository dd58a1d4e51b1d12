import {describe, expect, test} from 'vitest'
import {hexOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import {addImage, makeImage, makeManifest, type TestImage} from '@airgap-mirror/test/kit'
import type {TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {cosignKeys, cosignSignature, cosignTag, cosignVerify} from './cosign.js'
import {faultsIn} from './push.js'
import {exchanges, statuses, syncScene, type SyncScene} from './sync.js'

const keys = cosignKeys()

interface Signed {
  readonly image: TestImage
  readonly signature: TestImage
  readonly reference: string
}

async function addSigned(scene: SyncScene, name = 'team/app:v1'): Promise<Signed> {
  const image = await makeImage({seed: name, platforms: ['linux/amd64', 'linux/arm64'], layers: 1})
  const reference = await scene.add(name, image)
  const {digest} = image.root.descriptor
  const signature = cosignSignature(digest, {name: reference, privateKey: keys.privateKey})
  await scene.add(`${name.slice(0, name.lastIndexOf(':'))}:${cosignTag(digest)}`, signature)
  return {image, signature, reference}
}

describe('a cosign signature', () => {
  test('verifies after mirroring, with the digests it had', async () => {
    await using scene = await syncScene()
    const {image, signature, reference} = await addSigned(scene)
    const {code, stderr, report} = await scene.sync(argv`--images ${await scene.list(reference)}`)
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const place = {repository: 'mirror/team/app', tag: 'v1', publicKey: keys.publicKey}
    expect(await cosignVerify(scene.target, place)).toBe(image.root.descriptor.digest)
    const tag = cosignTag(image.root.descriptor.digest)
    expect(scene.at(`team/app:${tag}`)).toBe(signature.root.descriptor.digest)
    expect(report.images.map(({target}) => target)).toEqual([
      `${scene.target.host}/mirror/team/app:v1`,
      `${scene.target.host}/mirror/team/app:${tag}`,
    ])
    expect(faultsIn(scene.target)).toEqual([])
  })

  test('costs a night without changes nothing', async () => {
    await using scene = await syncScene()
    const {reference} = await addSigned(scene)
    const list = await scene.list(reference)
    await scene.quietly(argv`--images ${list}`)
    scene.clearLogs()
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject({code: 0, stdout: '', stderr: ''})
    for (const registry of [scene.source, scene.target])
      expect(exchanges(registry)).toEqual(['HEAD manifest-head v1'])
  })

  test('goes along when a second column moves the image to another repository', async () => {
    await using scene = await syncScene()
    const {image, reference} = await addSigned(scene)
    const list = await scene.list(`${reference} crew/renamed:stable`)
    expect(await scene.sync(argv`--images ${list}`)).toMatchObject({code: 0})
    const place = {repository: 'mirror/crew/renamed', tag: 'stable', publicKey: keys.publicKey}
    expect(await cosignVerify(scene.target, place)).toBe(image.root.descriptor.digest)
    expect(scene.target.repositories()).toEqual(['mirror/crew/renamed'])
  })

  test('goes to both places of an image that a list moves to two of them', async () => {
    await using scene = await syncScene()
    const {reference} = await addSigned(scene)
    const {stdout: _, ...first} = await scene.sync(argv`--images ${await scene.list(reference)}`)
    const second = await scene.sync(argv`--images ${await scene.list(`${reference} other/app:v1`)}`)
    expect([first.code, second.code]).toEqual([0, 0])
    for (const repository of ['mirror/team/app', 'mirror/other/app'])
      await cosignVerify(scene.target, {repository, tag: 'v1', publicKey: keys.publicKey})
  })

  test('of one platform comes with that platform, and not without', async () => {
    await using scene = await syncScene()
    const {image, reference} = await addSigned(scene)
    const [amd, arm] = image.platforms.map(({manifest}) => manifest.descriptor.digest)
    if (amd === undefined || arm === undefined) throw new Error('no platforms')
    for (const digest of [amd, arm]) {
      const signature = cosignSignature(digest, {name: reference, privateKey: keys.privateKey})
      await scene.add(`team/app:${cosignTag(digest)}`, signature)
    }
    const list = await scene.list(reference)
    expect(await scene.sync(argv`--images ${list} --platform linux/arm64`)).toMatchObject({code: 0})
    expect(scene.at(`team/app:${cosignTag(arm)}`)).toBeDefined()
    expect(scene.at(`team/app:${cosignTag(amd)}`)).toBeUndefined()
  })

  test('that is added to an image later comes with the next look: at once with --force', async () => {
    await using scene = await syncScene()
    const image = await makeImage({seed: 'later', layers: 1})
    const reference = await scene.add('team/app:v1', image)
    const list = await scene.list(reference)
    expect(await scene.sync(argv`--images ${list}`)).toMatchObject({code: 0})
    const {digest} = image.root.descriptor
    const signature = cosignSignature(digest, {name: reference, privateKey: keys.privateKey})
    await scene.add(`team/app:${cosignTag(digest)}`, signature)
    const {code, report} = await scene.sync(argv`--images ${list} --force`)
    expect(code).toBe(0)
    expect(statuses(report)).toEqual(['present', 'pushed'])
    await cosignVerify(scene.target, {repository: 'mirror/team/app', tag: 'v1', publicKey: keys.publicKey})
  })

  test('that somebody at the target has added theirs to is not overwritten, but with --force', async () => {
    await using scene = await syncScene()
    const {image, signature, reference} = await addSigned(scene)
    const list = await scene.list(reference)
    expect(await scene.sync(argv`--images ${list}`)).toMatchObject({code: 0})
    const tag = cosignTag(image.root.descriptor.digest)
    const theirs = await makeImage({seed: 'theirs', layers: 1})
    await addImage(scene.target, theirs, {repository: 'mirror/team/app', tag})
    // another choice makes everything be looked at anew
    const flags = argv`--images ${list} --platform linux/amd64`
    const {code, stderr, report} = await scene.sync(flags)
    expect(code).toBe(3)
    expect(stderr).toMatch(new RegExp(`^error: target: .*${tag} was changed by somebody else`, 'm'))
    expect(statuses(report)).toEqual(['pushed', 'drifted'])
    expect(scene.at(`team/app:${tag}`)).toBe(theirs.root.descriptor.digest)
    expect((await scene.sync([...flags, '--force'])).code).toBe(0)
    expect(scene.at(`team/app:${tag}`)).toBe(signature.root.descriptor.digest)
  })

  test('that could not be brought along is tried again the next night', async () => {
    await using scene = await syncScene()
    const {signature, reference} = await addSigned(scene)
    const list = await scene.list(reference)
    const digests = signature.blobs.map(({descriptor}) => descriptor.digest).join('|')
    scene.source.setFaults([
      {match: {path: new RegExp(digests)}, times: Infinity, fault: {type: 'status', status: 404}},
    ])
    const broken = await scene.sync(argv`--images ${list}`)
    expect(broken.code).toBe(3)
    expect(statuses(broken.report)).toEqual(['pushed', 'failed'])
    scene.source.setFaults([])
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject({code: 0, stderr: ''})
    await cosignVerify(scene.target, {repository: 'mirror/team/app', tag: 'v1', publicKey: keys.publicKey})
  })

  test('of an unsigned image stays wrong: nothing of it is made up', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'))
    await scene.sync(argv`--images ${list}`)
    const place = {repository: 'mirror/team/app', tag: 'v1', publicKey: keys.publicKey}
    await expect(cosignVerify(scene.target, place)).rejects.toThrow('no signature')
  })

  test('stays behind with --no-referrers', async () => {
    await using scene = await syncScene()
    const {reference} = await addSigned(scene)
    const list = await scene.list(reference)
    expect(await scene.sync(argv`--images ${list} --no-referrers`)).toMatchObject({code: 0})
    expect(scene.target.tags('mirror/team/app')).toEqual(['v1'])
    expect(scene.source.requests.filter(({kind}) => kind === 'referrers' || kind === 'tags')).toEqual([])
  })
})

describe('what refers to an image by OCI 1.1', () => {
  /** With the index under the fallback tag, as a client puts it where there is no API. */
  const addReferrer = async (
    registry: TestRegistry,
    image: TestImage,
    hasApi: boolean,
  ): Promise<TestImage> => {
    const referrer = await makeImage({
      seed: 'sbom',
      layers: 1,
      subject: image.root.descriptor,
      artifactType: 'application/spdx+json',
    })
    await addImage(registry, referrer, {repository: 'team/app'})
    if (hasApi) return referrer
    const {mediaType, digest, size} = referrer.root.descriptor
    const {bytes} = makeManifest(
      {
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [{mediaType, digest, size, artifactType: 'application/spdx+json'}],
      },
      {mediaType: mediaTypes.ociIndex},
    )
    const reference = `sha256-${hexOf(image.root.descriptor.digest)}`
    registry.addManifest({repository: 'team/app', reference, mediaType: mediaTypes.ociIndex, bytes})
    return referrer
  }

  test.each([
    ['the API', 'the API', true, true],
    ['the API', 'the tag schema', true, false],
    ['the tag schema', 'the API', false, true],
    ['the tag schema', 'the tag schema', false, false],
  ])('comes from %s to %s', async (_from, _to, source, target) => {
    await using scene = await syncScene({source: {referrers: source}, target: {referrers: target}})
    const image = await makeImage({seed: 'app', layers: 1})
    const list = await scene.list(await scene.add('team/app:v1', image))
    const referrer = await addReferrer(scene.source, image, source)
    const {code, stderr} = await scene.sync(argv`--images ${list}`)
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const {digest} = referrer.root.descriptor
    expect(scene.target.manifest('mirror/team/app', digest)?.bytes).toEqual(referrer.root.bytes)
    const tag = `sha256-${hexOf(image.root.descriptor.digest)}`
    const fallback = scene.target.manifest('mirror/team/app', tag)
    expect(
      Buffer.from(fallback?.bytes ?? '')
        .toString()
        .includes(digest),
    ).toBe(!target)
    expect(faultsIn(scene.target)).toEqual([])
    const again = await scene.sync(argv`--images ${list} --force`)
    expect(again.code).toBe(0)
    expect(again.report.totals.bytes.uploaded).toBe(0)
  })

  test('stays behind with --no-referrers', async () => {
    await using scene = await syncScene()
    const image = await makeImage({seed: 'app', layers: 1})
    const list = await scene.list(await scene.add('team/app:v1', image))
    const referrer = await addReferrer(scene.source, image, true)
    expect(await scene.sync(argv`--images ${list} --no-referrers`)).toMatchObject({code: 0})
    expect(scene.target.manifest('mirror/team/app', referrer.root.descriptor.digest)).toBeUndefined()
  })

  test('that could not be brought along is tried again the next night', async () => {
    await using scene = await syncScene()
    const image = await makeImage({seed: 'app', layers: 1})
    const list = await scene.list(await scene.add('team/app:v1', image))
    const {root, blobs} = await addReferrer(scene.source, image, true)
    const digests = blobs.map(({descriptor}) => descriptor.digest).join('|')
    scene.source.setFaults([
      {match: {path: new RegExp(digests)}, times: Infinity, fault: {type: 'status', status: 404}},
    ])
    expect((await scene.quietly(argv`--images ${list}`)).code).toBe(3)
    scene.source.setFaults([])
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject({code: 0, stderr: ''})
    expect(scene.target.manifest('mirror/team/app', root.descriptor.digest)).toBeDefined()
  })

  test('is a warning for each cause, not for each image, if the source cannot say', async () => {
    await using scene = await syncScene()
    const names = ['a', 'b', 'c', 'd']
    const lists = await Promise.all(
      names.map(async (name) =>
        scene.add(`team/${name}:v1`, await makeImage({seed: `quiet ${name}`, layers: 1})),
      ),
    )
    scene.source.setFaults([
      {match: {kind: 'referrers'}, times: Infinity, fault: {type: 'status', status: 500}},
    ])
    const list = await scene.list(...lists)
    const {code, stderr} = await scene.quietly(argv`--images ${list} --source-retries 0`)
    expect(code).toBe(0)
    const lines = stderr.split('\n').filter((line) => line.includes('may be missing'))
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/: 3 more images: \S+, \S+, \S+$/)
  })

  test('is a warning if the source cannot say: the image comes all the same, and --force looks again', async () => {
    await using scene = await syncScene()
    const image = await makeImage({seed: 'app', layers: 1})
    const list = await scene.list(await scene.add('team/app:v1', image))
    const referrer = await addReferrer(scene.source, image, true)
    scene.source.setFaults([
      {match: {kind: 'referrers'}, times: Infinity, fault: {type: 'status', status: 500}},
    ])
    const broken = await scene.quietly(argv`--images ${list} --source-retries 0`)
    expect(broken).toMatchObject({code: 0, stdout: ''})
    expect(broken.stderr).toMatch(/^warning: signatures of .*team\/app@sha256:[0-9a-f]{64} may be missing/)
    scene.source.clearLog()
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject({code: 0, stderr: ''})
    expect(scene.source.requests.filter(({kind}) => kind === 'referrers')).toEqual([])
    scene.source.setFaults([])
    expect(await scene.quietly(argv`--images ${list} --force`)).toMatchObject({code: 0, stderr: ''})
    expect(scene.target.manifest('mirror/team/app', referrer.root.descriptor.digest)).toBeDefined()
  })
})
