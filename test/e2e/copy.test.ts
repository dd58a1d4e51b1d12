import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {lacksTool, makeImage, ociLayout, skopeo, writeDirectory} from '@airgap-mirror/test/kit'
import {copy, copyScene, keeping, type CopyScene} from './copy.js'

describe.skipIf(lacksTool('skopeo', 'docker-registry'))('mirror copy', () => {
  let scene: CopyScene
  beforeAll(async () => {
    scene = await copyScene()
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  describe.each(keeping)('from %s', (from) => {
    test.each(keeping)('to %s keeps every digest of an index of two platforms', async (to) => {
      const target = scene.place(to)
      const {code, stderr, report} = await copy(scene.from[from], target)
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      const {digest} = scene.multi.root.descriptor
      expect(report).toMatchObject({
        command: 'copy',
        source: expect.stringContaining('original') as string,
        outcome: 'ok',
        images: [{status: 'pushed', sourceDigest: digest, targetDigest: digest, digestChanged: false}],
      })
      expect(await scene.lookAt(target)).toBe(digest)
    })

    test('to docker-archive wants one platform, and then its config is kept', async () => {
      const target = scene.place('docker-archive')
      const all = await copy(scene.from[from], target)
      expect(all.code).toBe(2)
      expect(all.stderr).toContain('--platform')
      const {code, report} = await copy(scene.from[from], target, ['--platform', 'linux/arm64'])
      expect(code).toBe(0)
      expect(report.images).toMatchObject([{status: 'pushed', digestChanged: true}])
      expect(report.images[0]).not.toHaveProperty('targetDigest')
      const arm = scene.multi.platforms[1]?.config
      expect(await scene.configAt(target)).toBe(arm?.bytes.toString())
    })
  })

  describe('from docker-archive', () => {
    test.each(keeping)('to %s keeps the config, and says that the digest is new', async (to) => {
      const target = scene.place(to)
      const {code, stderr, report} = await copy(scene.archive, target)
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      expect(report.images).toMatchObject([{status: 'pushed', digestChanged: true}])
      expect(report.images[0]?.targetDigest).toBe(await scene.lookAt(target))
      const config = digestOf(Buffer.from(await scene.configAt(target)))
      expect(config).toBe(scene.single.platforms[0]?.config.descriptor.digest)
    })

    test('to docker-archive: the same config and layers, which skopeo takes', async () => {
      const target = scene.place('docker-archive')
      expect((await copy(scene.archive, target)).code).toBe(0)
      await scene.lookAt(target)
      const config = digestOf(Buffer.from(await scene.configAt(target)))
      expect(config).toBe(scene.single.platforms[0]?.config.descriptor.digest)
    })
  })

  test('a Docker image stays one, through all that keeps manifests', async () => {
    const image = await makeImage({
      seed: 'copy-docker',
      format: 'docker',
      platforms: ['linux/amd64', 'linux/arm64'],
    })
    const {digest} = image.root.descriptor
    const path = join(scene.directory.path, 'docker')
    await writeDirectory(path, ociLayout([{image}]))
    let at = `oci:${path}`
    for (const transport of ['docker', 'dir', 'oci', 'oci-archive', 'docker'] as const) {
      const next = scene.place(transport)
      const {code, report} = await copy(at, next)
      expect(code).toBe(0)
      expect(report.images).toMatchObject([{targetDigest: digest, digestChanged: false}])
      at = next
    }
    expect(await scene.lookAt(at)).toBe(digest)
  })

  test('a tag that nobody wrote is latest, at registries and in docker-archives', async () => {
    const to = `docker://${scene.registry.host}/untagged`
    const {report} = await copy(scene.from.dir, to)
    expect(report.images[0]?.target).toBe(`${scene.registry.host}/untagged:latest`)
    expect(await scene.lookAt(`${to}:latest`)).toBe(scene.multi.root.descriptor.digest)
    const archive = `docker-archive:${join(scene.directory.path, 'untagged.tar')}:app`
    await copy(scene.layout, archive)
    expect(await skopeo(['inspect', '--format', '{{.Digest}}', `${archive}:latest`])).toMatch(/^sha256:/)
  })

  test('a digest can be asked for and be written to, and another one is refused', async () => {
    const {digest} = scene.multi.root.descriptor
    const from = `docker://${scene.registry.host}/originals/multi@${digest}`
    const to = `docker://${scene.registry.host}/by-digest`
    expect((await copy(from, `${to}@${digest}`)).code).toBe(0)
    expect(await scene.lookAt(`${to}@${digest}`)).toBe(digest)
    const other = await copy(from, `${to}@${digestOf(Buffer.from('other'))}`)
    expect(other.code).toBe(2)
    expect(other.stderr).toContain(digest)
  })

  test('an image that is there already is not fetched again', async () => {
    const target = scene.place('dir')
    await copy(scene.from.docker, target)
    const {report} = await copy(scene.from.docker, target, ['--no-referrers'])
    expect(report.images).toMatchObject([{status: 'present', bytesUploaded: 0}])
    // HEAD of the tag, GET of the index and of the manifests of two platforms.
    expect(report.totals.requests).toBeLessThanOrEqual(4)
  })
})
