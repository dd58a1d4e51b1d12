import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  dockerArchive,
  makeImage,
  makeTempDir,
  ociLayout,
  skopeoDirectory,
  writeDirectory,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn, named, push, writeBundle, type PushResult} from './push.js'

function targetsOf({report}: PushResult): readonly string[] {
  return report.images.map(({target}) => target.slice(target.indexOf('/') + 1))
}

describe('names at the private registry', () => {
  let directory: TempDir
  let images: readonly TestImage[]
  let source: string
  const at = (name: string): string => join(directory.path, name)
  const bundle = async (name: string, names: readonly string[]): Promise<string> =>
    writeBundle(
      at(name),
      ociLayout(names.map((each, index) => named(each, images[index] ?? fail('too many names')))),
    )
  const fail = (text: string): never => {
    throw new Error(text)
  }

  beforeAll(async () => {
    directory = await makeTempDir()
    images = await Promise.all(
      ['one', 'two', 'three', 'four'].map((seed) => makeImage({seed, layers: 1, layerSize: 1000})),
    )
    source = await bundle('bundle.tar', [
      'gcr.io/team/sub/app:v1',
      'docker.io/library/busybox:1.36',
      'registry.k8s.io:443/pause:3.9',
    ])
  })
  afterAll(() => directory.remove())

  const cases: readonly {
    readonly name: string
    readonly namespace?: string
    readonly flags: readonly string[]
    readonly targets: readonly string[]
  }[] = [
    {
      name: 'drop the source’s host',
      flags: [],
      targets: ['team/sub/app:v1', 'library/busybox:1.36', 'pause:3.9'],
    },
    {
      name: 'stand under the namespace',
      namespace: 'air/gap',
      flags: [],
      targets: ['air/gap/team/sub/app:v1', 'air/gap/library/busybox:1.36', 'air/gap/pause:3.9'],
    },
    {
      name: 'keep the host with --map-host keep',
      namespace: 'ns',
      flags: argv`--map-host keep`,
      targets: [
        'ns/gcr.io/team/sub/app:v1',
        'ns/docker.io/library/busybox:1.36',
        'ns/registry.k8s.io-443/pause:3.9',
      ],
    },
    {
      name: 'are rewritten by --rewrite, in order, before the namespace is put in front',
      namespace: 'ns',
      flags: [
        '--rewrite',
        '^team/(.*)=crew/$1',
        '--rewrite',
        '^crew/sub=crew/under',
        '--rewrite',
        '^library/=',
      ],
      targets: ['ns/crew/under/app:v1', 'ns/busybox:1.36', 'ns/pause:3.9'],
    },
    {
      name: 'are no deeper than --max-depth',
      namespace: 'ns',
      flags: argv`--max-depth 2`,
      targets: ['ns/team-sub-app:v1', 'ns/library-busybox:1.36', 'ns/pause:3.9'],
    },
  ]
  test.each(cases)('$name', async ({namespace, flags, targets}) => {
    await using registry = await startRegistry({strict: true})
    const result = await push({source, registry, flags, namespace})
    expect(result).toMatchObject({code: 0})
    expect(targetsOf(result)).toEqual(targets)
    const stored = registry
      .repositories()
      .flatMap((each) => registry.tags(each).map((tag) => `${each}:${tag}`))
    expect(stored.toSorted()).toEqual(targets.toSorted())
    expect(faultsIn(registry)).toEqual([])
  })

  test('are those of --map before all rules', async () => {
    await using registry = await startRegistry({strict: true})
    await writeFile(
      at('map'),
      '# ours\r\ngcr.io/team/sub/app:v1 special/app:stable\r\n\r\nbusybox:1.36  tools/busybox # a comment\r\n',
    )
    const flags = argv`--map ${at('map')} --rewrite ${'.*=other'} --exclude **/pause:*`
    const result = await push({source, registry, namespace: 'ns', flags})
    expect(result).toMatchObject({code: 0})
    expect(targetsOf(result)).toEqual(['ns/special/app:stable', 'ns/tools/busybox:1.36'])
  })

  test('are latest where the source has no tag, and the digest alone where the source has only that', async () => {
    await using registry = await startRegistry({strict: true})
    const [one, two, three] = images.map(({root}) => root.descriptor.digest)
    const path = await bundle('digests.tar', [
      'gcr.io/a/plain',
      `gcr.io/a/pinned@${two}`,
      `gcr.io/a/both:v1@${three}`,
    ])
    const result = await push({source: path, registry})
    expect(result).toMatchObject({code: 0})
    expect(registry.manifest('a/plain', 'latest')?.digest).toBe(one)
    expect(registry.tags('a/pinned')).toEqual([])
    expect(registry.manifest('a/pinned', two ?? '')?.digest).toBe(two)
    expect(registry.manifest('a/both', 'v1')?.digest).toBe(three)
  })

  test('of images that are others than the digest in the name says come with a reason in the report', async () => {
    await using registry = await startRegistry({strict: true})
    const other = images[3]?.root.descriptor.digest ?? ''
    const path = await bundle('lying.tar', [`gcr.io/a/lying:v1@${other}`, 'gcr.io/a/true:v1'])
    const {code, report} = await push({source: path, registry})
    expect(code).toBe(0)
    expect(report.images[0]).toMatchObject({source: 'gcr.io/a/lying:v1', digestChanged: true})
    expect(report.images[0]?.reason).toContain(other)
    expect(report.images[1]).toMatchObject({digestChanged: false})
  })

  describe('of two different images that would be the same end the run before the first byte', () => {
    const names = ['gcr.io/team/app:v1', 'quay.io/team/app:v1']
    const refusal =
      /^error: two different images would become \S+\/team\/app:v1: gcr\.io\/team\/app:v1 .* quay\.io\/team\/app:v1 .*\nhint: .*--map-host keep/m
    const changes = (registry: TestRegistry): readonly unknown[] =>
      registry.requests.filter(({method}) => method !== 'GET' && method !== 'HEAD')

    test('in an OCI layout, and --map-host keep helps', async () => {
      await using registry = await startRegistry({strict: true})
      const path = await bundle('collision.tar', names)
      expect(await push({source: path, registry})).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(refusal),
      })
      expect(changes(registry)).toEqual([])
      expect(await push({source: path, registry, flags: argv`--map-host keep`})).toMatchObject({code: 0})
    })

    test('in a docker-archive', async () => {
      await using registry = await startRegistry({strict: true})
      const archive = names.map((name, index) => ({image: images[index] ?? fail('no image'), tags: [name]}))
      const path = await writeBundle(at('collision-docker.tar'), dockerArchive(archive))
      expect(await push({source: path, registry})).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(refusal),
      })
      expect(changes(registry)).toEqual([])
    })

    test('but the same image under both names is none', async () => {
      await using registry = await startRegistry({strict: true})
      const [image = fail('no image')] = images
      const path = await writeBundle(at('same.tar'), dockerArchive([{image, tags: names}]))
      const result = await push({source: path, registry})
      expect(result).toMatchObject({code: 0})
      expect(registry.tags('team/app')).toEqual(['v1'])
    })
  })

  test('that a registry would not take end the run before the first byte', async () => {
    await using registry = await startRegistry({strict: true})
    const {code, stderr} = await push({source, registry, flags: ['--rewrite', '^team=UPPER']})
    expect({code}, `printed: ${stderr}`).toEqual({code: 2})
    expect(stderr).toMatch(/^error: .*UPPER.*not a valid repository name/m)
  })

  test('of an image that has none are asked for, with the line that --map needs', async () => {
    await using registry = await startRegistry({strict: true})
    const [image = fail('no image')] = images
    await writeDirectory(at('nameless'), skopeoDirectory(image))
    const without = await push({source: at('nameless'), registry})
    expect(without).toMatchObject({code: 2})
    const line = /a line says: (\S+) REPOSITORY:TAG/.exec(without.stderr)?.[1]
    expect(line).toBe(image.root.descriptor.digest)
    await writeFile(at('names'), `${line} team/app:v1\n`)
    expect(await push({source: at('nameless'), registry, flags: argv`--map ${at('names')}`})).toMatchObject({
      code: 0,
    })
    expect(registry.tags('team/app')).toEqual(['v1'])
  })

  test.each([
    ['--private-registry with a scheme', 'https://host:5000', [], /has a scheme/],
    ['--private-registry with an upper-case namespace', 'host/NS', [], /capital/],
    ['--rewrite without =', 'host', ['--rewrite', 'abc'], /--rewrite/],
    ['--rewrite with what RE2 lacks', 'host', ['--rewrite', '(?=a)=b'], /--rewrite/],
    ['--max-depth 0', 'host', argv`--max-depth 0`, /--max-depth/],
    ['--map-host maybe', 'host', argv`--map-host maybe`, /--map-host/],
  ])('%s is a usage error', async (_name, host, flags, message) => {
    const {code, stderr} = await push({source, registry: {host, url: ''}, flags})
    expect({code}, `printed: ${stderr}`).toEqual({code: 2})
    expect(stderr).toMatch(message)
  })
})
