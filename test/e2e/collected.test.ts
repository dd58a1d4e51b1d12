import {describe, expect, test} from 'vitest'
import {
  addImage,
  lacksTool,
  makeImage,
  runMirror,
  startDebianRegistry,
  type TestImage,
} from '@airgap-mirror/test/kit'
import type {TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {saveScene, type SaveScene} from './save.js'
import {exchanges, statuses, withReport, type Synced} from './sync.js'

const platforms = ['linux/amd64', 'linux/arm64']

interface Pushed extends AsyncDisposable {
  readonly scene: SaveScene
  readonly bundle: string
  readonly list: string
  readonly many: TestImage
}

/** An index and a single image, pushed out of a bundle. */
async function pushed(): Promise<Pushed> {
  const scene = await saveScene()
  const many = await makeImage({seed: 'collected-many', layers: 1, platforms})
  const references = [await scene.add('many:v1', many), await scene.add('one:v1')]
  const list = await scene.list(...references)
  const bundle = await scene.saved(list, 'bundle.tar')
  expect((await scene.push(bundle)).code).toBe(0)
  scene.clearLogs()
  return {scene, bundle, list, many, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]()}
}

/** Deletes the first platform of an index, as a garbage collection that goes by tags does. */
async function losePlatform(registry: TestRegistry, {root}: TestImage, repository: string): Promise<string> {
  const index = JSON.parse(Buffer.from(root.bytes).toString()) as {manifests: {digest: string}[]}
  const digest = index.manifests[0]?.digest ?? ''
  const {status} = await fetch(`${registry.url}/v2/${repository}/manifests/${digest}`, {method: 'DELETE'})
  expect(status).toBe(202)
  registry.clearLog()
  return digest
}

async function verified(scene: SaveScene, bundle: string): Promise<readonly string[]> {
  const {report} = withReport(
    await runMirror(
      argv`verify --json --plain-http --source ${bundle} --private-registry ${scene.target.host}/mirror`,
      {home: scene.directory},
    ),
  )
  return statuses(report)
}

describe('A warm push', () => {
  test('costs one HEAD a tag and one for each platform of an index', async () => {
    await using warm = await pushed()
    const {report} = await warm.scene.push(warm.bundle)
    expect(statuses(report)).toEqual(['present', 'present'])
    const kinds = warm.scene.target.requests.map(({kind}) => kind)
    expect(kinds.toSorted()).toEqual([...Array<string>(4).fill('manifest-head'), 'ping'])
  })

  test('asks for platforms that two tags share once', async () => {
    await using warm = await pushed()
    const {scene, many} = warm
    const second = await scene.add('many:v2', many)
    const bundle = await scene.saved(await scene.list(`${scene.source.host}/many:v1`, second), 'two.tar')
    await scene.push(bundle)
    scene.clearLogs()
    await scene.push(bundle)
    expect(scene.target.requests.filter(({kind}) => kind === 'manifest-head')).toHaveLength(4)
  })

  test('sends a platform that the registry has lost below a tag, sets no tag, and is present again', async () => {
    await using warm = await pushed()
    const {scene, bundle, many} = warm
    const lost = await losePlatform(scene.target, many, 'mirror/many')
    const dry = await scene.push(bundle, ['--dry-run'])
    expect(statuses(dry.report)).toEqual(['planned', 'present'])
    const {code, report} = await scene.push(bundle)
    expect({code, statuses: statuses(report)}).toEqual({code: 0, statuses: ['pushed', 'present']})
    const puts = exchanges(scene.target).filter((line) => line.startsWith('PUT'))
    expect(puts.some((line) => line.endsWith(lost))).toBe(true)
    expect(puts.filter((line) => !line.includes('sha256:'))).toEqual([])
    expect(scene.target.fsck()).toEqual([])
    expect(await verified(scene, bundle)).toEqual(['verified', 'verified'])
    expect(statuses((await scene.push(bundle)).report)).toEqual(['present', 'present'])
  })

  test('believes the tag if the registry does not say whether it has a platform', async () => {
    await using warm = await pushed()
    const {scene, bundle} = warm
    scene.target.setFaults([
      {
        match: {kind: 'manifest-head', path: /sha256:/},
        times: Infinity,
        fault: {type: 'status', status: 405},
      },
      {match: {kind: 'manifest-get', path: /sha256:/}, times: Infinity, fault: {type: 'status', status: 403}},
    ])
    const {code, report} = await scene.push(bundle)
    expect({code, statuses: statuses(report)}).toEqual({code: 0, statuses: ['present', 'present']})
  })

  test('finds a lost blob with --recheck, sends it and nothing else', async () => {
    await using warm = await pushed()
    const {scene, bundle, many} = warm
    const [lost] = many.blobs
    if (lost === undefined) throw new Error('an image without blobs')
    scene.target.loseBlob('mirror/many', lost.descriptor.digest)
    expect(statuses((await scene.push(bundle)).report)).toEqual(['present', 'present'])
    expect(await verified(scene, bundle)).toEqual(['differs', 'verified'])
    const {report} = await scene.push(bundle, ['--recheck'])
    expect(statuses(report)).toEqual(['pushed', 'present'])
    expect(report.totals.blobs.uploaded).toBe(1)
    expect(await verified(scene, bundle)).toEqual(['verified', 'verified'])
    expect(statuses((await scene.push(bundle, ['--recheck'])).report)).toEqual(['present', 'present'])
  })
})

describe('A sync', () => {
  async function synced(flags: readonly string[] = []): Promise<Pushed> {
    const warm = await pushed()
    expect((await warm.scene.sync(argv`--images ${warm.list} ${flags}`)).code).toBe(0)
    warm.scene.clearLogs()
    return warm
  }

  test.each([[[]], [['--no-referrers']], [['--platform', 'linux/amd64']]])(
    'with --force mends what lies below a tag, with %j',
    async (flags) => {
      await using warm = await synced(flags)
      const {scene, list, many} = warm
      await losePlatform(scene.target, many, 'mirror/many')
      const again = async (more: readonly string[]): Promise<readonly string[]> =>
        statuses((await scene.sync(argv`--images ${list} ${flags} ${more}`)).report)
      expect(await again([])).toEqual(['present', 'present'])
      expect(await again(['--force'])).toEqual(['pushed', 'present'])
      expect(scene.target.fsck()).toEqual([])
      expect(await again(['--force'])).toEqual(['present', 'present'])
      expect(scene.at('many:v1')).toBe(many.root.descriptor.digest)
    },
  )

  test('that knows nothing of a tag asks for the platforms below it', async () => {
    await using warm = await synced()
    const {scene, list, many} = warm
    await losePlatform(scene.target, many, 'mirror/many')
    const {report} = await scene.sync(argv`--images ${list} --state ${scene.path('other')}`)
    expect(statuses(report)).toEqual(['pushed', 'present'])
  })
})

test('A copy sends a platform that the registry has lost below a tag', async () => {
  await using scene = await saveScene()
  const many = await makeImage({seed: 'collected-copy', layers: 1, platforms})
  const from = await scene.add('many:v1', many)
  const copy = async (flags: readonly string[] = []): Promise<Synced> =>
    withReport(
      await runMirror(
        argv`copy --json --plain-http --source-plain-http ${flags} docker://${from} docker://${scene.target.host}/copy:v1`,
        {home: scene.directory},
      ),
    )
  expect(statuses((await copy()).report)).toEqual(['pushed'])
  await losePlatform(scene.target, many, 'copy')
  expect(statuses((await copy()).report)).toEqual(['pushed'])
  expect(scene.target.fsck()).toEqual([])
  scene.target.loseBlob('copy', many.blobs[0]?.descriptor.digest ?? many.root.descriptor.digest)
  expect(statuses((await copy()).report)).toEqual(['present'])
  expect(statuses((await copy(['--recheck'])).report)).toEqual(['pushed'])
})

test.skipIf(lacksTool('docker-registry'))(
  'After a garbage collection of Debian’s registry that took the platforms of an index, a push mends the index',
  async () => {
    await using scene = await saveScene()
    await using registry = await startDebianRegistry()
    const many = await makeImage({seed: 'collected-debian', layers: 1, platforms})
    await addImage(scene.source, many, {repository: 'many', tag: 'v1'})
    const bundle = await scene.saved(await scene.list(`${scene.source.host}/many:v1`), 'bundle.tar')
    const run = async (verb: string): Promise<Synced> =>
      withReport(
        await runMirror(
          argv`${verb} --json --plain-http --source ${bundle} --private-registry ${registry.host}`,
          {
            home: scene.directory,
          },
        ),
      )
    expect(statuses((await run('push')).report)).toEqual(['pushed'])
    await registry.collectGarbage()
    const {report} = await run('verify')
    expect(report.images[0]?.error?.message).toMatch(/^many lacks the manifest sha256:/)
    expect(statuses((await run('push')).report)).toEqual(['pushed'])
    expect(statuses((await run('verify')).report)).toEqual(['verified'])
    expect(statuses((await run('push')).report)).toEqual(['present'])
  },
)
