import {spawn} from 'node:child_process'
import {createHash} from 'node:crypto'
import {once} from 'node:events'
import {chmod, copyFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {mediaTypes, type Descriptor} from '@airgap-mirror/oci-client/model'
import {makeTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {Drawer} from '#src/state/drawer.js'
import {openState, type State} from '#src/state/open-state.js'

const DAY = 86_400_000
const UPLOAD = {repository: 'team/app', key: 'sha256:1'}
const LOCATION = 'https://registry.example/v2/team/app/blobs/uploads/1?_state=secret'
const layer = {
  diffId: `sha256:${'a'.repeat(64)}`,
  size: 5,
  mediaType: mediaTypes.ociLayerGzip,
} as const
const final: Descriptor = {mediaType: layer.mediaType, digest: `sha256:${'b'.repeat(64)}`, size: 3}

let temporary: TempDir
let directory: string
let notes: string[]

beforeEach(async () => {
  temporary = await makeTempDir()
  directory = join(temporary.path, 'state')
  notes = []
})
afterEach(() => temporary.remove())

function onNote(text: string): void {
  return void notes.push(text)
}

/** As another process would find it. */
async function open(layerFormat = 1): Promise<State> {
  const state = await openState({directory, layerFormat, onNote})
  if (state === undefined) throw new Error(`no state: ${notes.join()}`)
  return state
}

async function fill(state: State): Promise<void> {
  await state.uploads('registry.example').note(UPLOAD, LOCATION)
  await state.layers.note(layer, final)
  await state.hosts.save('registry.example', {chunks: 'work'})
  await state.indexes.save('a bundle', Buffer.from('its index'))
}

async function everythingIn(state: State): Promise<readonly unknown[]> {
  return [
    await state.uploads('registry.example').find(UPLOAD),
    await state.layers.find(layer),
    await state.hosts.load('registry.example'),
    await state.indexes.load('a bundle').then((bytes) => bytes && Buffer.from(bytes).toString()),
  ]
}

const EVERYTHING = [LOCATION, final, {chunks: 'work'}, 'its index']
const NOTHING = [undefined, undefined, undefined, undefined]

async function filesOf(): Promise<readonly string[]> {
  return (await readdir(directory, {recursive: true, withFileTypes: true}))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

describe('state', () => {
  it('is found by a later run, each thing where it belongs', async () => {
    await fill(await open())
    const later = await open()
    expect(await everythingIn(later)).toEqual(EVERYTHING)
    expect(await later.uploads('other.example').find(UPLOAD)).toBeUndefined()
    expect(await later.uploads('registry.example').find({...UPLOAD, key: 'sha256:2'})).toBeUndefined()
    expect(await later.layers.find({...layer, mediaType: mediaTypes.ociLayerZstd})).toBeUndefined()
    expect(await later.hosts.load('other.example')).toBeUndefined()
    expect(notes).toEqual([])
  })

  it('forgets what it is told to', async () => {
    const state = await open()
    await fill(state)
    await state.uploads('registry.example').forget(UPLOAD)
    await state.layers.forget(layer)
    expect((await everythingIn(await open())).slice(0, 2)).toEqual([undefined, undefined])
  })

  it('is for nobody else to read', async () => {
    await fill(await open())
    const modes = await Promise.all((await filesOf()).map(async (path) => (await stat(path)).mode & 0o777))
    expect(modes).toEqual([0o600, 0o600, 0o600, 0o600])
    expect((await stat(join(directory, 'v1'))).mode & 0o777).toBe(0o700)
    expect((await stat(join(directory, 'v1', 'uploads'))).mode & 0o777).toBe(0o700)
  })

  it('does not tell the names of what it holds', async () => {
    await fill(await open())
    expect((await filesOf()).join()).not.toMatch(/registry|team|bundle/)
  })

  it('is nothing where none is wanted', async () => {
    expect(await openState({directory: undefined, layerFormat: 1, onNote})).toBeUndefined()
    expect(notes).toEqual([])
  })

  it('may be deleted at any time', async () => {
    const state = await open()
    await fill(state)
    await rm(directory, {recursive: true})
    expect(await everythingIn(state)).toEqual(NOTHING)
    await fill(state)
    expect(await everythingIn(await open())).toEqual(NOTHING)
    expect(notes).toEqual([])
  })

  it.each([
    ['a file', async () => writeFile(directory, '')],
    [
      'open to others',
      async () => {
        await mkdir(join(directory, 'v1'), {recursive: true})
        await chmod(join(directory, 'v1'), 0o777)
      },
    ],
  ])('is done without, and said so, where its directory is %s', async (_what, make) => {
    await make()
    expect(await openState({directory, layerFormat: 1, onNote})).toBeUndefined()
    expect(notes).toHaveLength(1)
    expect(notes[0]).toContain(directory)
  })

  it('that cannot be written is said so once for each kind, and nothing fails', async () => {
    const state = await open()
    for (const name of ['uploads', 'layers', 'hosts', 'indexes'])
      await writeFile(join(directory, 'v1', name), '')
    for (let times = 0; times < 2; times += 1) {
      await fill(state)
      expect(await everythingIn(state)).toEqual(NOTHING)
    }
    expect(await state.uploads('registry.example').note(UPLOAD, LOCATION)).toBe(false)
    expect(notes).toHaveLength(4)
    expect(notes.join()).not.toContain('secret')
  })
})

describe('an entry', () => {
  /** Ways to spoil a file. */
  const damages: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
    ['empty', (path) => writeFile(path, '')],
    ['cut short', async (path) => writeFile(path, (await readFile(path)).subarray(0, -1))],
    ['something else', (path) => writeFile(path, '{"location": "https://elsewhere.example/"}')],
    ['one bit wrong', async (path) => writeFile(path, withBitFlipped(await readFile(path)))],
    ['endless', (path) => writeFile(path, Buffer.alloc(40 * 1024 * 1024))],
    ['a directory', async (path) => (await rm(path), mkdir(path))],
  ]

  const withBitFlipped = (bytes: Buffer): Buffer => {
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1
    return bytes
  }

  it.each(damages)('is as good as none where it is %s', async (_what, spoil) => {
    await fill(await open())
    for (const path of await filesOf()) await spoil(path)
    expect(await everythingIn(await open())).toEqual(NOTHING)
  })

  it('is as good as none under the name of another', async () => {
    const state = await open()
    const one = {repository: 'team/app', key: 'one'}
    const uploads = state.uploads('registry.example')
    await uploads.note(one, LOCATION)
    const [path = ''] = await filesOf()
    const name = createHash('sha256').update('registry.example team/app other').digest('hex')
    await copyFile(path, join(directory, 'v1', 'uploads', name))
    const later = (await open()).uploads('registry.example')
    expect(await later.find(one)).toBe(LOCATION)
    expect(await later.find({...one, key: 'other'})).toBeUndefined()
  })

  it.each([
    ['uploads', 8],
    ['hosts', 8],
    ['layers', 400],
    ['indexes', 100],
  ])('of %s is as good as none when it is %i days old', async (name, days) => {
    await fill(await open())
    const folder = join(directory, 'v1', name)
    const then = new Date(Date.now() - days * DAY)
    for (const file of await readdir(folder)) await utimes(join(folder, file), then, then)
    const found = await everythingIn(await open())
    expect(found.filter((one) => one === undefined)).toHaveLength(1)
  })

  it('of a host is not made younger by being used', async () => {
    await (await open()).hosts.save('registry.example', {chunks: 'work'})
    const [path = ''] = await filesOf()
    const then = new Date(Date.now() - 3 * DAY)
    await utimes(path, then, then)
    const state = await open()
    await state.hosts.save('registry.example', (await state.hosts.load('registry.example')) ?? {})
    expect((await stat(path)).mtimeMs).toBeCloseTo(then.getTime(), -1)
    await state.hosts.save('registry.example', {chunks: 'broken'})
    expect((await stat(path)).mtimeMs).toBeGreaterThan(then.getTime() + DAY)
  })

  it('of a layer holds for one version of the compressor', async () => {
    await fill(await open(1))
    expect(await (await open(2)).layers.find(layer)).toBeUndefined()
  })
})

describe('a begun upload', () => {
  const writtenBy = async (pid: number | undefined): Promise<void> => {
    await fill(await open())
    const drawer = new Drawer(join(directory, 'v1', 'uploads'), {
      entries: 10,
      entryBytes: 1000,
      maxAge: DAY,
      onTrouble: onNote,
    })
    const key = `registry.example ${UPLOAD.repository} ${UPLOAD.key}`
    const session = await drawer.getJson(key)
    await drawer.put(key, JSON.stringify({...session, pid}))
  }

  it('is left to the process that is at work on it', async () => {
    await writtenBy(process.ppid)
    expect(await (await open()).uploads('registry.example').find(UPLOAD)).toBeUndefined()
  })

  it('is taken over from a process that is gone', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'close')
    await writtenBy(child.pid)
    expect(await (await open()).uploads('registry.example').find(UPLOAD)).toBe(LOCATION)
  })
})
