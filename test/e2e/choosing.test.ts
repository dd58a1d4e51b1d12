import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  dockerArchive,
  makeImage,
  makeTempDir,
  ociLayout,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, push, writeBundle, type PushResult} from './push.js'

describe('of a bundle of five images', () => {
  let directory: TempDir
  let source: string
  let multi: TestImage
  let registry: TestRegistry
  let run = 0
  const at = (name: string): string => join(directory.path, name)

  beforeAll(async () => {
    directory = await makeTempDir()
    registry = await startRegistry({strict: true})
    multi = await makeImage({
      seed: 'multi',
      platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
      layers: 1,
    })
    const single = (seed: string, platform = 'linux/amd64'): Promise<TestImage> =>
      makeImage({seed, layers: 1, layerSize: 1000, platforms: [platform]})
    source = await writeBundle(
      at('bundle.tar'),
      ociLayout([
        named('docker.io/rancher/pause:3.9', await single('pause')),
        named('docker.io/rancher/tools:v1', await single('tools')),
        named('quay.io/team/tools:v2', await single('other', 'linux/arm64')),
        named('gcr.io/team/multi:v1', multi),
        named('docker.io/library/busybox:1.36', await single('busybox')),
      ]),
    )
  })
  afterAll(async () => {
    await registry.close()
    await directory.remove()
  })

  const choose = (flags: readonly string[], stdin?: string): Promise<PushResult> =>
    push({source, registry, namespace: `run${run++}`, flags, stdin})
  const chosen = ({report}: PushResult): readonly string[] => report.images.map(({source: name}) => name)

  const lists: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'plain lines',
      'docker.io/rancher/pause:3.9\nquay.io/team/tools:v2\n',
      ['docker.io/rancher/pause:3.9', 'quay.io/team/tools:v2'],
    ],
    [
      'comments, blank lines, CRLF and a byte order mark',
      '\uFEFF# images\r\n\r\ndocker.io/rancher/pause:3.9 # the pause\r\nquay.io/team/tools:v2',
      ['docker.io/rancher/pause:3.9', 'quay.io/team/tools:v2'],
    ],
    [
      'short names, in another order, twice',
      'busybox:1.36\nrancher/pause:3.9\nbusybox:1.36\n',
      ['docker.io/rancher/pause:3.9', 'docker.io/library/busybox:1.36'],
    ],
    ['the comment of a run in which nothing failed', '# mirror: nothing failed\n', []],
  ]
  test.each(lists)('--images takes a list with %s', async (_name, list, expected) => {
    await writeFile(at('images.txt'), list)
    const result = await choose(argv`--images ${at('images.txt')}`)
    expect(result).toMatchObject({code: 0})
    expect(chosen(result)).toEqual(expected)
  })

  test('--images - reads the list from standard input, and --images can be repeated', async () => {
    await writeFile(at('one.txt'), 'busybox:1.36\n')
    const result = await choose(argv`--images - --images ${at('one.txt')}`, 'rancher/tools:v1\n')
    expect(result).toMatchObject({code: 0})
    expect(chosen(result)).toEqual(['docker.io/rancher/tools:v1', 'docker.io/library/busybox:1.36'])
  })

  test('--images with an image that the bundle lacks ends the run before the first byte, naming its line', async () => {
    registry.clearLog()
    const {code, stderr} = await choose(
      argv`--images -`,
      'busybox:1.36\nrancher/missing:v1\nrancher/gone:v2\n',
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 2})
    expect(stderr).toMatch(
      /^error: source: .*line 2: docker\.io\/rancher\/missing:v1; line 3: docker\.io\/rancher\/gone:v2/m,
    )
    expect(stderr).toMatch(/^hint: /m)
    expect(registry.bytesReceived).toBe(0)
  })

  test('--images with bad lines is a usage error that names them all', async () => {
    const {code, stderr} = await choose(argv`--images -`, 'busybox:1.36\na/UPPER\na b c\n')
    expect(code).toBe(2)
    expect(stderr).toMatch(/standard input: 2 bad lines; line 2: .*; line 3: /)
  })

  test.each([
    [
      '--include',
      ['--include', 'docker.io/rancher/*'],
      ['docker.io/rancher/pause:3.9', 'docker.io/rancher/tools:v1'],
    ],
    [
      '--include with **',
      ['--include', '**/tools:*'],
      ['docker.io/rancher/tools:v1', 'quay.io/team/tools:v2'],
    ],
    [
      '--include twice and --exclude',
      ['--include', 'docker.io/**', '--include', 'quay.io/**', '--exclude', '**:v1'],
      ['docker.io/rancher/pause:3.9', 'quay.io/team/tools:v2', 'docker.io/library/busybox:1.36'],
    ],
    ['--platform', ['--platform', 'linux/arm64'], ['quay.io/team/tools:v2', 'gcr.io/team/multi:v1']],
  ])('%s chooses', async (_name, flags, expected) => {
    const result = await choose(flags)
    expect(result).toMatchObject({code: 0})
    expect(chosen(result)).toEqual(expected)
  })

  test.each([
    ['--include', ['--include', 'ghcr.io/**']],
    ['--platform', ['--platform', 'linux/s390x']],
  ])(
    '%s that leaves no image at all is an error: a slip of the pen must not look like success',
    async (_name, flags) => {
      const {code, stderr} = await choose(flags)
      expect({code}, `printed: ${stderr}`).toEqual({code: 2})
      expect(stderr).toMatch(/^error: source: .*no image/m)
      expect(stderr).toMatch(/^hint: /m)
    },
  )

  test('--platform of a multi-arch image leaves its other platforms out', async () => {
    const namespace = `run${run}`
    const result = await choose(argv`--platform linux/arm64 --platform linux/arm/v7 --include gcr.io/**`)
    expect(result).toMatchObject({code: 0})
    const [amd64, arm64, armv7] = multi.platforms
    const repository = `${namespace}/team/multi`
    const stored = new Set(registry.blobs(repository))
    expect(stored.has(amd64?.config.descriptor.digest ?? 'sha256:')).toBe(false)
    for (const platform of [arm64, armv7]) {
      expect(stored.has(platform?.config.descriptor.digest ?? 'sha256:')).toBe(true)
    }
    expect(registry.fsck()).toEqual([])
  })

  test('--platform of one platform makes the tag name that image, and the report says so', async () => {
    const namespace = `run${run}`
    const {report} = await choose(argv`--platform linux/arm64 --include gcr.io/**`)
    const [, arm64] = multi.platforms
    expect(registry.manifest(`${namespace}/team/multi`, 'v1')?.digest).toBe(arm64?.manifest.descriptor.digest)
    expect(report.images[0]).toMatchObject({digestChanged: true, sourceDigest: multi.root.descriptor.digest})
    expect(report.images[0]?.reason).toContain('linux/arm64')
  })

  test('--platform chooses among the single-platform images of a docker-archive', async () => {
    const images = await Promise.all(
      ['linux/amd64', 'linux/arm64/v8'].map((platform) =>
        makeImage({seed: platform, platforms: [platform], layers: 1}),
      ),
    )
    const archive = dockerArchive(
      images.map((image, index) => ({image, tags: [`gcr.io/team/docker${index}:v1`]})),
    )
    const path = await writeBundle(at('docker.tar'), archive)
    const result = await push({
      source: path,
      registry,
      namespace: 'docker',
      flags: argv`--platform linux/arm64`,
    })
    expect(result).toMatchObject({code: 0})
    expect(chosen(result)).toEqual(['gcr.io/team/docker1:v1'])
  })

  test.each([
    ['--platform linux', argv`--platform linux`],
    ['--sparse-index maybe', argv`--sparse-index maybe`],
    ['an --images file that is not there', argv`--images /nowhere/images.txt`],
  ])('%s is a usage error', async (_name, flags) => {
    const {code, stderr} = await choose(flags)
    expect({code}, `printed: ${stderr}`).toEqual({code: 2})
    expect(stderr).toMatch(/^error: /m)
  })
})
