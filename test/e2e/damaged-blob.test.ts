import {readdir, stat, truncate, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import type {Digest} from '@airgap-mirror/oci-client/model'
import {
  lacksTool,
  makeImage,
  makeTempDir,
  runMirror,
  startDebianRegistry,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import {saveScene, type SaveScene} from './save.js'
import {statuses, withReport, type Synced} from './sync.js'

const HINT =
  'Delete the blob from the storage of the registry, or its images and then the garbage, then push again: a push alone may not replace it.'

interface Pushed extends AsyncDisposable {
  readonly scene: SaveScene
  readonly bundle: string
  readonly image: TestImage
  /** A layer, and its bytes. */
  readonly digest: Digest
  readonly bytes: Uint8Array
  readonly run: (verb: string, flags?: readonly string[]) => Promise<Synced>
}

async function pushed(target?: string): Promise<Pushed> {
  const scene = await saveScene()
  const image = await makeImage({seed: 'damaged', layers: 2})
  const bundle = await scene.saved(await scene.list(await scene.add('app:v1', image)), 'bundle.tar')
  const registry = target ?? scene.target.host
  const run: Pushed['run'] = async (verb, flags = []) =>
    withReport(
      await runMirror(
        argv`${verb} --json --plain-http --source ${bundle} --private-registry ${registry}/mirror ${flags}`,
        {home: scene.directory},
      ),
    )
  expect(statuses((await run('push')).report)).toEqual(['pushed'])
  scene.target.clearLog()
  const layer = image.blobs.at(-1)
  if (layer === undefined) throw new Error('an image without blobs')
  const {digest} = layer.descriptor
  const dispose = async (): Promise<void> => scene[Symbol.asyncDispose]()
  return {scene, bundle, image, digest, bytes: layer.bytes, run, [Symbol.asyncDispose]: dispose}
}

function kinds({scene}: Pushed): readonly string[] {
  return scene.target.requests.map(({kind}) => kind).toSorted()
}

describe('A blob that is damaged in the storage of a registry', () => {
  test.each([100, 0])('is found by verify if %i bytes are left of it', async (left) => {
    await using warm = await pushed()
    const {scene, digest, bytes, run} = warm
    await scene.target.spoilBlob(digest, bytes.subarray(0, left))
    const {code, report} = await run('verify')
    expect({code, statuses: statuses(report)}).toEqual({code: 4, statuses: ['differs']})
    expect(report.images[0]?.error).toMatchObject({
      code: 'DIGEST_MISMATCH',
      side: 'target',
      message: `${scene.target.host}/mirror/app@${digest} has ${left} bytes at the registry, not ${bytes.length}`,
      hint: HINT,
    })
  })

  test('is replaced by a push with --recheck at a registry that replaces blobs', async () => {
    await using warm = await pushed()
    const {scene, digest, bytes, run} = warm
    await scene.target.spoilBlob(digest, bytes.subarray(0, 100))
    expect(statuses((await run('push')).report)).toEqual(['present'])
    const dry = await run('push', ['--recheck', '--dry-run'])
    expect(statuses(dry.report)).toEqual(['planned'])
    expect(dry.report.images[0]?.bytesToSend).toBe(bytes.length)
    const {code, report} = await run('push', ['--recheck'])
    expect({code, statuses: statuses(report)}).toEqual({code: 0, statuses: ['pushed']})
    expect(report.totals.blobs.uploaded).toBe(1)
    expect(statuses((await run('verify')).report)).toEqual(['verified'])
    expect(statuses((await run('push', ['--recheck'])).report)).toEqual(['present'])
  })

  test('is replaced by a sync with --force', async () => {
    await using scene = await saveScene()
    const image = await makeImage({seed: 'damaged-sync', layers: 1})
    const list = await scene.list(await scene.add('app:v1', image))
    const sync = async (flags: readonly string[] = []): Promise<readonly string[]> =>
      statuses((await scene.sync(argv`--images ${list} ${flags}`)).report)
    expect(await sync()).toEqual(['pushed'])
    const layer = image.blobs.at(-1)
    if (layer === undefined) throw new Error('an image without blobs')
    await scene.target.spoilBlob(layer.descriptor.digest, layer.bytes.subarray(0, 100))
    expect(await sync(['--force'])).toEqual(['pushed'])
    expect(await scene.target.blob('mirror/app', layer.descriptor.digest)).toEqual(layer.bytes)
    expect(await sync(['--force'])).toEqual(['present'])
  })

  test('has the same remedy if only verify --deep finds it', async () => {
    await using warm = await pushed()
    const {scene, digest, bytes, run} = warm
    await scene.target.spoilBlob(digest, Buffer.alloc(bytes.length))
    expect((await run('verify')).code).toBe(0)
    const {code, report} = await run('verify', ['--deep'])
    expect({code, hint: report.images[0]?.error?.hint}).toEqual({code: 4, hint: HINT})
  })
})

describe('The length in the answer to a HEAD request', () => {
  test('costs no request of verify and of push --recheck if it is right', async () => {
    await using warm = await pushed()
    const {scene, image, run} = warm
    const heads = Array<string>(image.blobs.length).fill('blob-head')
    await run('verify')
    expect(kinds(warm).filter((kind) => kind.startsWith('blob'))).toEqual(heads)
    scene.target.clearLog()
    await run('push', ['--recheck'])
    expect(kinds(warm).filter((kind) => kind.startsWith('blob'))).toEqual(heads)
  })

  test.each([
    ['is zero', '0'],
    ['is another number', '77'],
  ])('that %s at a registry with the right bytes costs one read of the blob', async (_name, length) => {
    await using warm = await pushed()
    const {scene, image, run} = warm
    scene.target.setFaults([
      {
        match: {kind: 'blob-head'},
        times: Infinity,
        fault: {type: 'headers', headers: {'content-length': length}},
      },
    ])
    const {code, report} = await run('verify')
    expect({code, statuses: statuses(report)}).toEqual({code: 0, statuses: ['verified']})
    expect(kinds(warm).filter((kind) => kind === 'blob-get')).toHaveLength(image.blobs.length)
    expect(statuses((await run('push', ['--recheck'])).report)).toEqual(['present'])
  })

  test('may be missing', async () => {
    await using warm = await pushed()
    const {scene, run} = warm
    scene.target.setFaults([
      {
        match: {kind: 'blob-head'},
        times: Infinity,
        fault: {type: 'headers', headers: {'content-length': undefined}},
      },
    ])
    expect((await run('verify')).code).toBe(0)
    expect(kinds(warm)).not.toContain('blob-get')
  })

  test('is believed of a blob that the registry does not let the account read, for a push', async () => {
    await using warm = await pushed()
    const {scene, digest, bytes, run} = warm
    await scene.target.spoilBlob(digest, bytes.subarray(0, 100))
    scene.target.setFaults([
      {match: {kind: 'blob-get'}, times: Infinity, fault: {type: 'status', status: 403}},
    ])
    expect(statuses((await run('push', ['--recheck'])).report)).toEqual(['present'])
    const {code, report} = await run('verify')
    expect({code, error: report.images[0]?.error?.code}).toEqual({code: 1, error: 'DENIED'})
  })
})

test.skipIf(lacksTool('docker-registry'))(
  'Debian’s registry keeps a damaged blob when the whole one is pushed, until its file is removed',
  async () => {
    await using storage = await makeTempDir()
    await using registry = await startDebianRegistry({storage: storage.path})
    await using warm = await pushed(registry.host)
    const {digest, bytes, run} = warm
    const file = await dataOf(storage.path, digest)
    await truncate(file, 100)
    expect(statuses((await run('verify')).report)).toEqual(['differs'])
    const {code, report} = await run('push', ['--recheck'])
    expect({code, statuses: statuses(report)}).toEqual({code: 1, statuses: ['failed']})
    const place = `${registry.host}/mirror/app@${digest}`
    expect(report.images[0]?.error).toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: `${place} has 100 bytes at the registry, not ${bytes.length}, and the registry kept it when the whole blob was pushed`,
      hint: HINT,
    })
    expect((await stat(file)).size).toBe(100)
    await rm(file)
    expect(statuses((await run('push', ['--recheck'])).report)).toEqual(['pushed'])
    expect(statuses((await run('verify', ['--deep'])).report)).toEqual(['verified'])
  },
)

async function dataOf(storage: string, digest: Digest): Promise<string> {
  const hex = digest.slice('sha256:'.length)
  const files = await readdir(storage, {recursive: true})
  const file = files.find((path) => path.endsWith(join(hex, 'data')))
  if (file === undefined) throw new Error(`no file of ${digest}`)
  return join(storage, file)
}
