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

  /** Describes the manifest behind the tag: the original index, its one child, or an index of the present children. */
  const described = (bytes: Uint8Array | undefined): string => {
    if (bytes === undefined) return 'nothing'
    const {manifests} = JSON.parse(Buffer.from(bytes).toString()) as {manifests?: readonly unknown[]}
    return manifests === undefined ? 'the one child' : `an index of ${manifests.length}`
  }

  const taken = [
    ['auto', 1, 'allow-index', 'an index of 3'],
    ['auto', 1, 'refuse', 'the one child'],
    ['auto', 2, 'allow-index', 'an index of 3'],
    ['auto', 2, 'refuse', 'an index of 2'],
    ['as-is', 1, 'allow-index', 'an index of 3'],
    ['prune', 1, 'allow-index', 'an index of 1'],
    ['prune', 2, 'refuse', 'an index of 2'],
    ['platform', 1, 'allow-index', 'the one child'],
  ] as const
  test.each(taken)(
    '--sparse-index %s, %i of them, where the registry’s policy is %s: the tag names %s, and does so again',
    async (policy, kept, missingContent, expected) => {
      await using registry = await startRegistry({missingContent})
      const source = kept === 1 ? one : two
      const flags = argv`--sparse-index ${policy}`
      const {code, stderr, report} = await push({source, registry, flags})
      const stored = registry.manifest('rancher/app', 'v1')
      const isWhole = stored?.digest === image.root.descriptor.digest

      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      expect(described(stored?.bytes)).toBe(expected)
      expect(report.images[0]).toMatchObject({
        status: 'pushed',
        sourceDigest: image.root.descriptor.digest,
        targetDigest: stored?.digest,
        digestChanged: !isWhole,
      })
      expect(report.images[0]?.reason ?? 'as it is').toMatch(isWhole ? 'as it is' : 'sparse index')
      expect(registry.fsck()).toHaveLength(isWhole ? 3 - kept : 0)

      const again = await push({source, registry, flags})
      expect(again.code).toBe(0)
      expect(again.report.totals.bytes.uploaded).toBe(0)
      expect(again.report.images[0]).toMatchObject({status: 'present', targetDigest: stored?.digest})
    },
  )

  const refused = [
    ['as-is', 1, 'refuse', 'target', 1],
    ['platform', 2, 'refuse', 'source', 2],
    ['strict', 1, 'allow-index', 'source', 2],
  ] as const
  test.each(refused)(
    '--sparse-index %s, %i of them, where the registry’s policy is %s: an error of the %s, exit code %i',
    async (policy, kept, missingContent, side, expected) => {
      await using registry = await startRegistry({missingContent})
      const source = kept === 1 ? one : two
      const {code, stderr} = await push({source, registry, flags: argv`--sparse-index ${policy}`})
      expect({code, stderr}).toMatchObject({code: expected})
      expect(errorsOf(side, stderr)).toContain('rancher/app:v1')
      expect(stderr).toMatch(/^hint: /m)
      expect(registry.tags('rancher/app')).toEqual([])
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
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(registry.manifest('rancher/app', 'v1')?.digest).toBe(image.root.descriptor.digest)
  })
})
