import {mkdir, readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {
  dockerArchive,
  makeImage,
  makeLayers,
  makeTempDir,
  ociLayout,
  startMirror,
  type Compression,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {faultsIn, named, push, writeBundle} from '../e2e/push.js'

const MiB = 1024 * 1024

let directory: TempDir
let homes = 0

beforeAll(async () => {
  directory = await makeTempDir()
})
afterAll(() => directory.remove())

/** A user who has never run the program. */
async function newHome(): Promise<string> {
  homes += 1
  const home = join(directory.path, `home${homes}`)
  await mkdir(home)
  return home
}

async function filesOf(home: string): Promise<string> {
  const files = await readdir(home, {recursive: true, withFileTypes: true})
  const contents = files
    .filter((entry) => entry.isFile())
    .map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1'))
  return (await Promise.all(contents)).join('\n')
}

/** With a layer large enough for several chunks. */
async function writeLayout(home: string, layerSize: number): Promise<string> {
  const image = await makeImage({seed: `${layerSize}`, layers: 1, layerSize, content: 'random'})
  await mkdir(join(home, 'in'))
  return writeBundle(join(home, 'in', 'bundle.tar'), ociLayout([named('gcr.io/team/app:v1', image)]))
}

const packings: readonly (readonly [string, Compression])[] = [
  ['.tar.xz', {type: 'xz', blockSize: 30_000}],
  ['.tar.zst', {type: 'zstd'}],
  ['.tgz', {type: 'gzip'}],
]
const shapes = [
  ['OCI layout', ociLayout],
  ['docker-archive', dockerArchive],
] as const

describe.each(packings)('the same %s again', (_packing, packing) => {
  test.each(shapes)('decodes nothing and sends nothing (%s)', async (_shape, make) => {
    const home = await newHome()
    const base = await makeLayers({seed: 'base', layers: 2})
    const images = await Promise.all(['one', 'two'].map((seed) => makeImage({seed, base})))
    const entries = make(
      images.map((image, index) => {
        const name = `gcr.io/team/image${index}:v1`
        return {image, tags: [name], annotations: {'io.containerd.image.name': name}}
      }),
    )
    const source = await writeBundle(join(home, 'bundle'), entries, packing)
    // A file that was written a moment ago may still change unnoticed.
    await setTimeout(100)
    await using registry = await startRegistry({strict: true})
    const first = await push({source, registry, home})
    expect(first.report.totals.bytes.decoded).toBeGreaterThan(0)
    const sent = registry.bytesReceived

    const again = await push({source, registry, home})

    expect(again.report.totals.bytes).toMatchObject({decoded: 0, uploaded: 0, scratchPeak: 0})
    expect(again.report.images.map(({status}) => status)).toEqual(['present', 'present'])
    expect(registry.bytesReceived).toBe(sent)
    expect(faultsIn(registry)).toEqual([])
    const forgetful = await push({source, registry, home, flags: ['--no-state']})
    expect(forgetful.report.totals.bytes.decoded).toBeGreaterThan(0)
  })
})

describe('state', () => {
  test('is kept where --state says, and nowhere with --no-state', async () => {
    const home = await newHome()
    const source = await writeLayout(home, 1000)
    await using registry = await startRegistry()
    await push({source, registry, home, flags: ['--no-state']})
    expect(await readdir(home)).not.toContain('.local')
    await push({source, registry, home, flags: ['--state', 'here/below']})
    expect(await readdir(join(home, 'here', 'below'))).toEqual(['v1'])
    expect(await readdir(home)).not.toContain('.local')
  })

  test('that cannot be kept is a note, and the push goes on', async () => {
    const home = await newHome()
    const source = await writeLayout(home, 1000)
    await using registry = await startRegistry()
    const {code, stderr} = await push({source, registry, home, flags: ['--state', '/dev/null/state']})
    expect(code).toBe(0)
    expect(stderr).toContain('running without saved state: cannot use /dev/null/state')
  })

  test('tells the next run what the registry takes', async () => {
    const home = await newHome()
    const source = await writeLayout(home, 3 * MiB)
    await using registry = await startRegistry({chunks: 404})
    const flags = ['--chunk-size', '1MiB']
    const first = await push({source, registry, home, flags, namespace: 'one'})
    expect(first.stderr).toContain('does not take blobs in chunks')
    registry.clearLog()

    const second = await push({source, registry, home, flags, namespace: 'two'})

    expect(second.code).toBe(0)
    expect(second.stderr).not.toContain('does not take blobs in chunks')
    expect(registry.requests.filter(({kind}) => kind === 'send')).toHaveLength(1)
  })

  test('of a stopped push holds no login, no output holds the upload’s location, and the next run goes on', async () => {
    const home = await newHome()
    const source = await writeLayout(home, 30 * MiB)
    const password = 'hunter-two-and-a-half'
    const login = ['--username', 'me', '--password-stdin']
    await using registry = await startRegistry({
      auth: {type: 'token', users: [{name: 'me', password}]},
      faults: [{match: {kind: 'send'}, times: Infinity, fault: {type: 'trickle', bytes: 65_536, ms: 5}}],
    })
    const target = ['--private-registry', registry.host, '--plain-http', '--verbose', ...login]
    const stopped = await startMirror(['push', '--source', source, ...target], {home, stdin: password})
    while (!registry.requests.some(({kind, bytesReceived}) => kind === 'send' && bytesReceived > MiB))
      await setTimeout(5)
    stopped.kill('SIGINT')
    const {code, stderr, stdout} = await stopped.result

    expect(code).toBe(130)
    expect(registry.openUploads).toBe(1)
    const state = await filesOf(join(home, '.local'))
    expect(state).toContain('_state=')
    const tokens = registry.requests.map(({authorization}) => authorization?.split(' ')[1] ?? password)
    for (const secret of new Set([password, ...tokens])) expect(state).not.toContain(secret)
    expect(`${stderr}${stdout}`).not.toMatch(/_state=(?!\*\*\*)/)

    registry.setFaults([])
    registry.clearLog()
    const again = await push({source, registry, home, stdin: password, flags: login})

    expect(again.code).toBe(0)
    expect(registry.bytesReceived).toBeLessThan(29.5 * MiB)
    expect(faultsIn(registry)).toEqual([])
    expect(await filesOf(join(home, '.local'))).not.toContain('_state=')
  })
})
