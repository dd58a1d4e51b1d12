import {createHash} from 'node:crypto'
import {once} from 'node:events'
import {readdirSync} from 'node:fs'
import {readFile, rename, truncate, writeFile} from 'node:fs/promises'
import {get} from 'node:http'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {
  compress,
  freePort,
  makeImage,
  makeTempDir,
  ociLayout,
  runMirror,
  startMirror,
  startMirrorServer,
  tarBytes,
  type Child,
  type MirrorServer,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {until} from './until.js'

const NAMES = ['first', 'middle', 'last'] as const
const LAYER = 600_000
const BLOCK = 150_000

describe('mirror serve', () => {
  let directory: TempDir
  let tar: Buffer
  let xz: Buffer
  const images = new Map<string, TestImage>()
  const at = (name: string): string => join(directory.path, name)

  beforeAll(async () => {
    directory = await makeTempDir()
    const content = {layers: 1, layerSize: LAYER, compression: 'none', content: 'text'} as const
    for (const name of NAMES) images.set(name, await makeImage({seed: `robust ${name}`, ...content}))
    const entries = [...images].map(([name, image]) => ({
      image,
      annotations: {'io.containerd.image.name': `docker.io/robust/${name}:v1`},
    }))
    tar = await tarBytes(ociLayout(entries))
    xz = await compress(tar, {type: 'xz', blockSize: BLOCK})
  })
  afterAll(async () => directory[Symbol.asyncDispose]())

  function layerOf(name: string): {readonly path: string; readonly digest: string} {
    const digest = images.get(name)?.platforms[0]?.layers[0]?.descriptor.digest ?? ''
    return {path: `/v2/robust/${name}/blobs/${digest}`, digest}
  }

  /** Returns the outcome of a pull: `whole`, `wrong` for other bytes, `cut` if the connection ended before. */
  async function pull({url}: MirrorServer, name: string): Promise<'whole' | 'wrong' | 'cut'> {
    const {path, digest} = layerOf(name)
    try {
      const bytes = Buffer.from(await (await fetch(`${url}${path}`)).arrayBuffer())
      return `sha256:${createHash('sha256').update(bytes).digest('hex')}` === digest ? 'whole' : 'wrong'
    } catch {
      return 'cut'
    }
  }

  test('cuts off a pull from a damaged block, says where it is, and serves the rest', async () => {
    const damaged = Buffer.from(xz)
    const middle = damaged.length >> 1
    damaged.fill(
      damaged.subarray(middle, middle + 8).map((byte) => byte ^ 255),
      middle,
      middle + 8,
    )
    await writeFile(at('damaged.tar.xz'), damaged)
    await using server = await startMirrorServer(['--source', at('damaged.tar.xz')])
    const outcomes: (readonly [string, string])[] = []
    for (const name of [...NAMES, ...NAMES]) outcomes.push([name, await pull(server, name)])
    expect(
      outcomes
        .slice(0, 3)
        .map(([, outcome]) => outcome)
        .toSorted(),
    ).toEqual(['cut', 'whole', 'whole'])
    expect(outcomes.slice(3)).toEqual(outcomes.slice(0, 3))
    const [hit = ''] = outcomes.find(([, outcome]) => outcome === 'cut') ?? []
    await until(() => server.child.stderr.includes('is damaged in the xz block at byte'))
    expect(server.child.stderr).toContain(`${layerOf(hit).path}: `)
  })

  test.for(['gzip', 'zstd'] as const)('reads a bundle of one %s stream once, and says so', async (type) => {
    await writeFile(at(`bundle.${type}`), await compress(tar, {type}))
    await using server = await startMirrorServer([
      '--source',
      at(`bundle.${type}`),
      '--scratch',
      directory.path,
    ])
    expect(server.child.stderr).toContain(`its plain content is kept in ${directory.path}`)
    expect(server.child.stderr).not.toContain('each pull reads it again')
    for (const name of NAMES) expect([name, await pull(server, name)]).toEqual([name, 'whole'])
  })

  test.for([
    ['tar.xz', ['--scratch-size', '200k'], 'it may be decoded again: no room is left in'],
    ['tar.xz', ['--no-scratch'], ''],
    ['gzip', ['--scratch-size', '200k'], 'is read twice: there is no room for it in'],
    ['gzip', ['--no-scratch'], 'each pull reads it again up to its layer'],
  ] as const)('serves a .%s whole with %j', async ([kind, flags, word]) => {
    const path = at(`little-room.${kind}`)
    await writeFile(path, kind === 'gzip' ? await compress(tar, {type: kind}) : xz)
    await using server = await startMirrorServer(['--source', path, ...flags])
    const twice = [...NAMES, ...NAMES]
    const outcomes = await Promise.all(twice.map((name) => pull(server, name)))
    expect(outcomes).toEqual(twice.map(() => 'whole'))
    expect(server.child.stderr).toContain(word)
  })

  test('serves on from the file that it opened, if another takes its name', async () => {
    await writeFile(at('replaced.tar.xz'), xz)
    await using server = await startMirrorServer(['--source', at('replaced.tar.xz')])
    await writeFile(at('other'), 'not a bundle')
    await rename(at('other'), at('replaced.tar.xz'))
    for (const name of NAMES) expect([name, await pull(server, name)]).toEqual([name, 'whole'])
  })

  test('cuts off pulls beyond the end of a file that became shorter, and still serves what it has decoded', async () => {
    await writeFile(at('short.tar.xz'), xz)
    await writeFile(at('short.tar'), tar)
    await using packed = await startMirrorServer(['--source', at('short.tar.xz')])
    await using plain = await startMirrorServer(['--source', at('short.tar')])
    expect(await pull(packed, 'last')).toBe('whole')
    await truncate(at('short.tar.xz'), 1000)
    await truncate(at('short.tar'), 1000)
    expect([await pull(packed, 'last'), await pull(plain, 'last')]).toEqual(['whole', 'cut'])
    await until(() => plain.child.stderr.includes('became shorter while it was read'))
  })

  test('closes the files and connections of clients that leave in the middle', async (context) => {
    if (process.platform !== 'linux') context.skip('the open files of a process are seen on Linux')
    await writeFile(at('left.tar.xz'), xz)
    await using server = await startMirrorServer(['--source', at('left.tar.xz')])
    const open = (): number => readdirSync(`/proc/${server.child.pid}/fd`).length
    expect(await pull(server, 'first')).toBe('whole')
    await until(async () => {
      const before = open()
      await new Promise((resolve) => setTimeout(resolve, 100))
      return open() === before
    })
    const before = open()
    for (let round = 0; round < 3; round += 1)
      await Promise.all(
        NAMES.flatMap((name) => [1, 2, 3].map(() => leave(`${server.url}${layerOf(name).path}`))),
      )
    await until(() => open() <= before + 1)
    for (const name of NAMES) expect([name, await pull(server, name)]).toEqual([name, 'whole'])
  })

  test('--writable forgets begun uploads when it is killed, and a push that goes on begins them anew', async () => {
    const port = await freePort()
    const serve = (): Promise<Child> =>
      startMirror(
        ['serve', '--writable', at('pushed'), '--listen', `127.0.0.1:${port}`, '--plain-http', '--verbose'],
        {timeout: 600_000},
      )
    await writeFile(at('pushed.tar'), tar)
    const first = await serve()
    await until(() => first.stderr.includes('press Ctrl-C'))
    const target = ['--private-registry', `127.0.0.1:${port}`, '--plain-http', '--limit-rate', '1MB']
    const pushing = runMirror(['push', '--source', at('pushed.tar'), ...target], {anywhere: true})
    await until(() => /POST \S+uploads\/\S* 202/.test(first.stderr))
    first.kill('SIGKILL')
    await first.result
    const second = await serve()
    try {
      const {code, stderr} = await pushing
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      const unknown = await fetch(`http://127.0.0.1:${port}/v2/a/b/blobs/uploads/0`, {method: 'PATCH'})
      expect([unknown.status, await unknown.json()]).toMatchObject([
        404,
        {errors: [{code: 'BLOB_UPLOAD_UNKNOWN'}]},
      ])
    } finally {
      second.kill('SIGTERM')
      await second.result
    }
    expect(await readFile(at('pushed/index.json'), 'utf8')).toContain('robust/middle')
  })
})

/** Asks for a blob, and leaves after its first bytes. */
async function leave(url: string): Promise<void> {
  const request = get(url, {agent: false})
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
  await once(response, 'data')
  request.on('error', () => {})
  request.destroy()
}
