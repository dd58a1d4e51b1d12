import {mkdir, readdir, readFile, rm, stat, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import type {KnownTag} from '#src/engine/known-tags.js'
import {openState, type State} from '#src/state/open-state.js'
import {seal} from '#src/state/sealed.js'
import {openTagLedger} from '#src/state/tag-ledger.js'
import {digest} from './report-fixtures.js'

const TARGET = 'registry.example:5000/ns'
const DAY = 86_400_000
const FULL: Required<KnownTag> = {
  source: 'docker.io/library/busybox:1.36',
  sourceDigest: digest('a'),
  digest: digest('b'),
  intended: [digest('c'), digest('d')],
  how: 'linux/amd64',
  owners: ['nightly', 'weekly'],
  looked: 1_700_000_000_000,
  with: ['library/busybox:1.36', 'library/busybox:stable'],
}
const LEAST: KnownTag = {source: 'a', sourceDigest: digest('a'), how: '', owners: []}

let temporary: TempDir
let notes: string[]
beforeEach(async () => {
  temporary = await makeTempDir()
  notes = []
})
afterEach(() => temporary.remove())

/** As another process would find it. */
async function open(): Promise<State> {
  const state = await openState({
    directory: temporary.path,
    layerFormat: 1,
    onNote: (text) => void notes.push(text),
  })
  if (state === undefined) throw new Error(`no state: ${notes.join()}`)
  return state
}
async function openLedger(target = TARGET) {
  return (await open()).tags(target)
}

function directory(): string {
  return join(temporary.path, 'v1', 'tags')
}
async function onlyFile(): Promise<string> {
  const names = await readdir(directory())
  expect(names).toHaveLength(1)
  return join(directory(), names[0] ?? '')
}
async function writeLedger(tags: unknown, target = TARGET): Promise<void> {
  const ledger = await openLedger(target)
  ledger.set('a:v1', LEAST)
  await ledger.save()
  await writeFile(await onlyFile(), seal(target, Buffer.from(JSON.stringify(tags))))
}

describe('a ledger of tags', () => {
  it('is found by a later run, as it was saved', async () => {
    const ledger = await openLedger()
    ledger.set('library/busybox:1.36', FULL)
    ledger.set(`a@${digest('e')}`, LEAST)
    ledger.set('gone:v1', LEAST)
    ledger.delete('gone:v1')
    expect(await ledger.save()).toBe('kept')
    const later = await openLedger()
    expect(later.keys()).toEqual(['library/busybox:1.36', `a@${digest('e')}`])
    expect(later.get('library/busybox:1.36')).toEqual(FULL)
    expect(later.get(`a@${digest('e')}`)).toEqual(LEAST)
    expect(later.get('gone:v1')).toBeUndefined()
    expect((await openLedger('registry.example:5000/other')).keys()).toEqual([])
    expect(notes).toEqual([])
  })

  it('is nothing before it is saved', async () => {
    const ledger = await openLedger()
    ledger.set('a:v1', LEAST)
    expect((await openLedger()).keys()).toEqual([])
  })

  it('is written only where something was changed', async () => {
    const empty = await openLedger()
    expect(await empty.save()).toBe('kept')
    await expect(readdir(directory())).rejects.toMatchObject({code: 'ENOENT'})

    const first = await openLedger()
    first.set('a:v1', FULL)
    await first.save()
    const path = await onlyFile()
    const {ino} = await stat(path)
    const second = await openLedger()
    second.set('a:v1', {...FULL})
    second.delete('never:there')
    expect(await second.save()).toBe('kept')
    expect(await first.save()).toBe('kept')
    expect((await stat(path)).ino).toBe(ino)
    second.set('a:v1', {...FULL, looked: FULL.looked + 1})
    await second.save()
    expect((await openLedger()).get('a:v1')?.looked).toBe(FULL.looked + 1)
  })

  it('keeps what was last saved when it is saved again before that has ended', async () => {
    const ledger = await openLedger()
    const saves = Array.from({length: 20}, (_, index) => {
      ledger.set('a:v1', {...LEAST, how: String(index)})
      return ledger.save()
    })
    expect(new Set(await Promise.all(saves))).toEqual(new Set(['kept']))
    expect((await openLedger()).get('a:v1')?.how).toBe('19')
  })

  it('is for nobody else to read, and its name does not tell the target', async () => {
    const ledger = await openLedger()
    ledger.set('a:v1', FULL)
    await ledger.save()
    const path = await onlyFile()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(directory())).mode & 0o777).toBe(0o700)
    expect(path).not.toMatch(/registry|example/)
  })

  it('has no age, and no other makes it go', async () => {
    for (let index = 0; index < 30; index += 1) {
      const ledger = await openLedger(`host/${index}`)
      ledger.set('a:v1', LEAST)
      await ledger.save()
      const then = new Date(Date.now() - 4000 * DAY)
      for (const name of await readdir(directory())) await utimes(join(directory(), name), then, then)
    }
    for (let index = 0; index < 30; index += 1)
      expect((await openLedger(`host/${index}`)).keys()).toEqual(['a:v1'])
  })

  it('clears away what a crash has left half-written', async () => {
    await mkdir(directory(), {recursive: true})
    const left = join(directory(), '.half.tmp')
    await writeFile(left, 'half')
    const then = new Date(Date.now() - DAY)
    await utimes(left, then, then)
    const ledger = await openLedger()
    ledger.set('a:v1', LEAST)
    await ledger.save()
    expect(await readdir(directory())).toHaveLength(1)
  })

  it.each([
    ['empty', () => Buffer.alloc(0)],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -1)],
    [
      'one bit wrong',
      (bytes: Buffer) => (bytes.writeUInt8((bytes.at(-9) ?? 0) ^ 1, bytes.length - 9), bytes),
    ],
    ['another target’s', () => Buffer.from(seal('other', Buffer.from('{"tags":{}}')))],
    ['no JSON', () => Buffer.from(seal(TARGET, Buffer.from('{"tags":')))],
    ['no object', () => Buffer.from(seal(TARGET, Buffer.from('[]')))],
    ['nested deep', () => Buffer.from(seal(TARGET, Buffer.from('['.repeat(1e6) + ']'.repeat(1e6))))],
    ['full of values', () => Buffer.from(seal(TARGET, Buffer.from(`[${'0,'.repeat(5e6)}0]`)))],
  ])('is as good as none where it is %s, which is told, and it is made anew', async (_how, spoil) => {
    const ledger = await openLedger()
    ledger.set('a:v1', FULL)
    await ledger.save()
    const path = await onlyFile()
    await writeFile(path, spoil(await readFile(path)))
    const spoilt = await openLedger()
    expect(spoilt.keys()).toEqual([])
    expect(notes).toHaveLength(1)
    expect(notes[0]).toContain(TARGET)
    spoilt.set('b:v1', FULL)
    expect(await spoilt.save()).toBe('kept')
    expect((await openLedger()).keys()).toEqual(['b:v1'])
  })

  it('leaves out what makes no sense in it', async () => {
    await writeLedger({
      tags: {
        'good:v1': {...FULL, surprise: 1},
        'some:v1': {
          ...FULL,
          digest: 'sha256:no',
          intended: [digest('a'), 7, 'x'],
          with: ['../x'],
          looked: -1,
        },
        'later:v1': {...LEAST, looked: Date.now() + DAY, owners: ['job', 7, {}]},
        'no-source:v1': {...FULL, source: undefined},
        'no-digest:v1': {...FULL, sourceDigest: 'latest'},
        'no-owners:v1': {...FULL, owners: 'me'},
        'long:v1': {...FULL, how: 'x'.repeat(2000)},
        'UPPER:v1': FULL,
        'no-tag': FULL,
        '../../etc:v1': FULL,
        [`a@${digest('a').slice(1)}`]: FULL,
        ['__proto__']: FULL,
        'null:v1': null,
      },
      more: [],
    })
    const ledger = await openLedger()
    expect(ledger.keys()).toEqual(['good:v1', 'some:v1', 'later:v1'])
    expect(ledger.get('good:v1')).toEqual(FULL)
    const {digest: _digest, with: _with, looked: _looked, ...rest} = FULL
    expect(ledger.get('some:v1')).toEqual({...rest, intended: [digest('a')]})
    expect(ledger.get('later:v1')).toEqual({...LEAST, owners: ['job']})
    expect(notes).toEqual([])
  })

  it('that cannot be written says so once, and keeps what was there', async () => {
    const ledger = await openLedger()
    await mkdir(join(temporary.path, 'v1'), {recursive: true})
    await writeFile(directory(), '')
    ledger.set('a:v1', FULL)
    expect([await ledger.save(), await ledger.save()]).toEqual(['stale', 'stale'])
    expect(notes).toHaveLength(1)
    expect(ledger.get('a:v1')).toEqual(FULL)
    await rm(directory())
    expect(await ledger.save()).toBe('kept')
    expect((await openLedger()).keys()).toEqual(['a:v1'])
  })

  it('that has as many tags as it may have takes no more, and says so', async () => {
    const ledger = await openTagLedger(directory(), {
      target: TARGET,
      maxTags: 2,
      onTrouble: (text) => void notes.push(text),
    })
    for (const key of ['a:1', 'a:2', 'a:3', 'a:4']) ledger.set(key, LEAST)
    ledger.set('a:1', FULL)
    expect(await ledger.save()).toBe('kept')
    expect(notes).toHaveLength(1)
    const later = await openLedger()
    expect(later.keys()).toEqual(['a:1', 'a:2'])
    expect(later.get('a:1')).toEqual(FULL)
  })

  it('that has become too large is removed, rather than left as it was', async () => {
    const options = {target: TARGET, maxBytes: 1000, onTrouble: (text: string) => void notes.push(text)}
    const ledger = await openTagLedger(directory(), options)
    ledger.set('a:1', LEAST)
    expect(await ledger.save()).toBe('kept')
    ledger.set('a:2', {...LEAST, how: 'x'.repeat(1000)})
    expect(await ledger.save()).toBe('lost')
    expect(await readdir(directory())).toEqual([])
    expect(notes).toHaveLength(1)
  })

  it('of 10,000 tags is read whole', async () => {
    const ledger = await openLedger()
    for (let index = 0; index < 10_000; index += 1)
      ledger.set(`team/application-${index % 500}:v1.${index}`, {
        ...FULL,
        source: `registry.example/${index}:v1`,
      })
    await ledger.save()
    expect((await openLedger()).keys().length).toBe(10_000)
  })
})
