import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {join} from 'node:path'
import {makeImage, makeTempDir, ociLayout, type TempDir, type TestImage} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {errorsOf, named, push, writeBundle} from './push.js'

const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v7']

describe('a K3s airgap bundle: an index of three platforms, and the content of', () => {
  let directory: TempDir
  let image: TestImage
  let one: string
  let two: string

  beforeAll(async () => {
    directory = await makeTempDir()
    image = await makeImage({seed: 'sparse', platforms: PLATFORMS, layers: 1})
    const bundle = (name: string, kept: number): Promise<string> =>
      writeBundle(
        join(directory.path, name),
        ociLayout([
          {
            ...named('docker.io/rancher/app:v1', image),
            keep: (platform) => image.platforms.indexOf(platform) < kept,
          },
        ]),
        {type: 'zstd'},
      )
    one = await bundle('one.tar.zst', 1)
    two = await bundle('two.tar.zst', 2)
  })
  afterAll(() => directory.remove())

  type Expected = 'index' | 'child' | 'pruned' | 'refused'
  const cases: readonly {
    readonly policy: string
    readonly kept: 1 | 2
    readonly missingContent: 'refuse' | 'allow-index'
    readonly expected: Expected
  }[] = [
    {policy: 'auto', kept: 1, missingContent: 'allow-index', expected: 'index'},
    {policy: 'auto', kept: 1, missingContent: 'refuse', expected: 'child'},
    {policy: 'auto', kept: 2, missingContent: 'allow-index', expected: 'index'},
    {policy: 'auto', kept: 2, missingContent: 'refuse', expected: 'pruned'},
    {policy: 'as-is', kept: 1, missingContent: 'allow-index', expected: 'index'},
    {policy: 'as-is', kept: 1, missingContent: 'refuse', expected: 'refused'},
    {policy: 'prune', kept: 1, missingContent: 'allow-index', expected: 'pruned'},
    {policy: 'prune', kept: 2, missingContent: 'refuse', expected: 'pruned'},
    {policy: 'platform', kept: 1, missingContent: 'allow-index', expected: 'child'},
    {policy: 'platform', kept: 2, missingContent: 'refuse', expected: 'refused'},
    {policy: 'strict', kept: 1, missingContent: 'allow-index', expected: 'refused'},
  ]
  test.each(cases)(
    '$kept of them, with --sparse-index $policy, where the registry’s policy is $missingContent: $expected',
    async ({policy, kept, missingContent, expected}) => {
      await using registry = await startRegistry({missingContent})
      const source = kept === 1 ? one : two
      const flags = argv`--sparse-index ${policy}`
      const {code, stderr, report} = await push({source, registry, flags})
      const stored = registry.manifest('rancher/app', 'v1')
      const index = image.root.descriptor.digest
      const child = image.platforms[0]?.manifest.descriptor.digest

      expect({code, stderr}).toMatchObject({code: expected === 'refused' ? (policy === 'as-is' ? 1 : 2) : 0})
      if (expected === 'refused') {
        expect(stored).toBeUndefined()
        expect(errorsOf(policy === 'as-is' ? 'target' : 'source', stderr)).toContain('rancher/app:v1')
        expect(stderr).toMatch(/^hint: /m)
        return
      }
      expect(report.images[0]).toMatchObject({
        status: 'pushed',
        sourceDigest: index,
        targetDigest: stored?.digest,
        digestChanged: expected !== 'index',
      })
      if (expected === 'index') expect(stored?.digest).toBe(index)
      if (expected === 'child') expect(stored?.digest).toBe(child)
      if (expected === 'pruned') {
        const {manifests} = JSON.parse(Buffer.from(stored?.bytes ?? '').toString()) as {
          manifests: {digest: string}[]
        }
        expect(manifests.map(({digest}) => digest)).toEqual(
          image.platforms.slice(0, kept).map(({manifest}) => manifest.descriptor.digest),
        )
      }
      if (expected !== 'index') {
        expect(report.images[0]?.reason).toContain('sparse index')
        expect(registry.fsck()).toEqual([])
      }

      const again = await push({source, registry, flags})
      expect(again.code).toBe(0)
      expect(again.report.totals.bytes.uploaded).toBe(0)
      expect(again.report.images[0]).toMatchObject({status: 'present', targetDigest: stored?.digest})
    },
  )

  test('what the registry has already counts: the index is not sparse there', async () => {
    await using registry = await startRegistry({strict: true})
    const full = await writeBundle(
      join(directory.path, 'full.tar'),
      ociLayout([named('gcr.io/rancher/app:v0', image)]),
    )
    await push({source: full, registry})
    const {code, stderr} = await push({source: one, registry, flags: argv`--sparse-index strict`})
    expect({code, stderr}).toMatchObject({code: 0})
    expect(registry.manifest('rancher/app', 'v1')?.digest).toBe(image.root.descriptor.digest)
  })
})
