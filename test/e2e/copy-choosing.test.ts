import {readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest'
import {hexOf} from '@airgap-mirror/oci-client/model'
import {
  addImage,
  dockerArchive,
  lacksTool,
  makeAuthority,
  makeImage,
  ociLayout,
  runMirror,
  skopeo,
  startDebianRegistry,
  tarBytes,
  withTempDir,
  writeDirectory,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {copy, copyScene, type CopyScene} from './copy.js'
import {faultsIn} from './push.js'

describe.skipIf(lacksTool('skopeo', 'docker-registry'))('mirror copy', () => {
  let scene: CopyScene
  beforeAll(async () => {
    scene = await copyScene()
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  describe('--platform', () => {
    test('makes an index its one manifest, and says so', async () => {
      const target = scene.place('docker')
      const {code, report} = await copy(scene.from.docker, target, ['--platform', 'linux/amd64'])
      const own = scene.multi.platforms[0]?.manifest.descriptor.digest
      expect(code).toBe(0)
      expect(report.images).toMatchObject([
        {sourceDigest: scene.multi.root.descriptor.digest, targetDigest: own, digestChanged: true},
      ])
      expect(report.images[0]?.reason).toContain('linux/amd64')
      expect(await scene.lookAt(target)).toBe(own)
    })

    test('cuts an index down where several are asked for, or with --sparse-index prune', async () => {
      const three = await makeImage({
        seed: 'copy-three',
        platforms: ['linux/amd64', 'linux/arm64', 'linux/s390x'],
      })
      const source = join(scene.directory.path, 'three')
      await writeDirectory(source, ociLayout([{image: three}]))
      const target = scene.place('oci')
      const flags = argv`--platform linux/amd64 --platform linux/s390x`
      expect((await copy(`oci:${source}`, target, flags)).code).toBe(0)
      const index = JSON.parse(await skopeo(['inspect', '--raw', target])) as {manifests: {digest: string}[]}
      expect(index.manifests.map(({digest}) => digest)).toEqual(
        [0, 2].map((at) => three.platforms[at]?.manifest.descriptor.digest),
      )
      await scene.lookAt(target)
      const one = scene.place('oci')
      await copy(`oci:${source}`, one, argv`--platform linux/amd64 --sparse-index prune`)
      const pruned = JSON.parse(await skopeo(['inspect', '--raw', one])) as {manifests: object[]}
      expect(pruned.manifests).toHaveLength(1)
    })

    test('that the image does not have is told with those it has', async () => {
      const flags = ['--platform', 'linux/ppc64le']
      const {code, stderr} = await copy(scene.from.dir, scene.place('oci'), flags)
      expect(code).toBe(2)
      expect(stderr).toContain('linux/amd64, linux/arm64')
      const one = await copy(scene.layout, scene.place('oci'), flags)
      expect(one.code).toBe(2)
    })
  })

  test('a layout gains an image and keeps those it has; which of them is meant has to be said', async () => {
    const path = join(scene.directory.path, 'gaining')
    await copy(scene.from.docker, `oci:${path}:multi`)
    await copy(scene.layout, `oci:${path}:single`)
    expect(await scene.lookAt(`oci:${path}:multi`)).toBe(scene.multi.root.descriptor.digest)
    const several = await copy(`oci:${path}`, scene.place('dir'))
    expect(several.code).toBe(2)
    expect(several.stderr).toContain('multi, single')
    const absent = await copy(`oci:${path}:other`, scene.place('dir'))
    expect(absent.code).toBe(2)
    expect(absent.stderr).toContain('multi, single')
    const byDigest = `oci:${path}:@${scene.single.root.descriptor.digest}`
    expect((await copy(byDigest, scene.place('dir'))).code).toBe(0)
  })

  test('archives that are read from their start, in any order, go into every kind of file', async () => {
    const order = {seed: 'copy-in-order'}
    const path = join(scene.directory.path, 'packed')
    const {multi, single} = scene
    await writeFile(`${path}.oci`, gzipSync(await tarBytes(ociLayout([{image: multi}]), {order})))
    await writeFile(
      `${path}.docker`,
      gzipSync(await tarBytes(dockerArchive([{image: single, tags: ['a:b']}]), {order})),
    )
    const {digest} = multi.root.descriptor
    for (const transport of ['oci', 'oci-archive', 'dir'] as const) {
      const target = scene.place(transport)
      expect((await copy(`oci-archive:${path}.oci`, target, ['--no-scratch'])).code).toBe(0)
      expect(await scene.lookAt(target)).toBe(digest)
    }
    for (const transport of ['oci-archive', 'docker-archive'] as const) {
      const target = scene.place(transport)
      expect((await copy(`docker-archive:${path}.docker`, target, ['--no-scratch'])).code).toBe(0)
      await scene.lookAt(target)
    }
    const target = scene.place('dir')
    const piped = argv`copy oci-archive:- ${target} --no-state`
    expect(await runMirror(piped, {stdin: await readFile(`${path}.oci`)})).toMatchObject({code: 0})
    expect(await scene.lookAt(target)).toBe(digest)
  })

  test('a dry run tells what it would do, and does nothing', async () => {
    const path = join(scene.directory.path, 'dry')
    const {code, report} = await copy(scene.from.docker, `oci:${path}:v1`, ['--dry-run'])
    expect(code).toBe(0)
    expect(report).toMatchObject({
      outcome: 'planned',
      images: [{status: 'planned', target: `oci:${path}:v1`}],
    })
    expect(await readdir(scene.directory.path)).not.toContain('dry')
  })

  test('each side has its own TLS and its own login', async () => {
    const authority = await makeAuthority()
    const keys = await authority.issue({hosts: ['127.0.0.1']})
    const password = 'of-the-source'
    await using secured = await startDebianRegistry({tls: keys, htpasswd: {reader: password}})
    const ca = join(scene.directory.path, 'ca.pem')
    await writeFile(ca, authority.ca)
    const at = `docker://${secured.host}/locked:v1`
    const into = argv`copy ${scene.from.oci} ${at} --no-state --cacert ${ca} --username reader --password-stdin`
    expect(await runMirror(into, {stdin: `${password}\n`})).toMatchObject({code: 0})
    const target = scene.place('docker')
    const outOf = argv`copy ${at} --no-state --source-cacert ${ca} --plain-http`
    const from = await runMirror(
      argv`${outOf} ${target} --source-username reader --source-password-stdin --verbose`,
      {stdin: `${password}\n`},
    )
    expect(from).toMatchObject({code: 0})
    expect(from.stderr).not.toContain(password)
    expect(await scene.lookAt(target)).toBe(scene.multi.root.descriptor.digest)
    const refused = await runMirror(argv`${outOf} ${scene.place('docker')}`)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('error: source: ')
  })
})

describe('what speaks of the image', () => {
  const tagFor = ({root}: TestImage): string => `sha256-${hexOf(root.descriptor.digest)}.sig`

  let registry: TestRegistry | undefined
  afterEach(() => registry?.close())

  const scene = async () => {
    const app = await makeImage({seed: 'app', layers: 1})
    const sbom = await makeImage({
      seed: 'sbom',
      layers: 1,
      subject: app.root.descriptor,
      artifactType: 'application/spdx+json',
    })
    const signature = await makeImage({seed: 'signature', layers: 1})
    registry = await startRegistry({strict: true})
    await addImage(registry, app, {repository: 'team/app', tag: 'v1'})
    await addImage(registry, sbom, {repository: 'team/app'})
    await addImage(registry, signature, {repository: 'team/app', tag: tagFor(app)})
    return {app, sbom, signature, registry}
  }

  test.each(['oci', 'oci-archive'] as const)('goes through %s into another registry', async (transport) => {
    const {app, sbom, signature, registry: from} = await scene()
    await using to = await startRegistry({strict: true})
    await withTempDir(async (path) => {
      for (const ref of ['', ':v1', ':registry.example/team/app:v1']) {
        const between = `${transport}:${join(path, `between${ref.length}`)}${ref}`
        const out = await copy(`docker://${from.host}/team/app:v1`, between)
        expect({code: out.code, stderr: out.stderr}).toMatchObject({code: 0})
        expect(out.report.images).toHaveLength(3)
        const repository = `mirrored/app${ref.length}`
        const back = await copy(between, `docker://${to.host}/${repository}:v2`)
        expect({code: back.code, stderr: back.stderr}).toMatchObject({code: 0})
        const there = [app, sbom, signature].map(
          ({root}) => to.manifest(repository, root.descriptor.digest) !== undefined,
        )
        expect(there).toEqual([true, true, true])
        expect(to.tags(repository).toSorted()).toEqual([tagFor(app), 'v2'])
      }
    })
    expect(faultsIn(to)).toEqual([])
  })

  test('stays behind with --no-referrers, and with a note where the target has no place for it', async () => {
    const {app, registry: from} = await scene()
    await using to = await startRegistry({strict: true})
    const source = `docker://${from.host}/team/app:v1`
    const bare = await copy(source, `docker://${to.host}/team/app:v1`, ['--no-referrers'])
    expect(bare.report.images).toMatchObject([{targetDigest: app.root.descriptor.digest}])
    expect(to.tags('team/app')).toEqual(['v1'])
    const noted = await copy(source, 'dir:image')
    expect(noted.code).toBe(0)
    expect(noted.stderr).toContain('signatures and other referrers are left out: dir')
  })

  test('can be copied alone, by its own tag', async () => {
    const {app, signature, registry: from} = await scene()
    await using to = await startRegistry({strict: true})
    const tag = tagFor(app)
    const {code} = await copy(
      `docker://${from.host}/team/app:${tag}`,
      `docker://${to.host}/signatures:${tag}`,
    )
    expect(code).toBe(0)
    expect(to.manifest('signatures', tag)?.digest).toBe(signature.root.descriptor.digest)
  })
})

test('within one registry nothing is downloaded: content is mounted', async () => {
  await using registry = await startRegistry({strict: true})
  const image = await makeImage({seed: 'mounted', layers: 2})
  await addImage(registry, image, {repository: 'team/app', tag: 'v1'})
  const at = `docker://${registry.host}/team`
  const {code, report} = await copy(`${at}/app:v1`, `${at}/copy:v2`, ['--no-referrers'])
  expect(code).toBe(0)
  expect(report.totals.blobs).toMatchObject({mounted: 3, uploaded: 0})
  expect(registry.manifest('team/copy', 'v2')?.digest).toBe(image.root.descriptor.digest)
  expect(faultsIn(registry)).toEqual([])
})
