import {createHash} from 'node:crypto'
import {mkdir, readdir, rename, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {makeTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {Drawer} from '#src/state/drawer.js'

const DAY = 86_400_000

let temporary: TempDir
let directory: string
let notes: string[]

beforeEach(async () => {
  temporary = await makeTempDir()
  directory = join(temporary.path, 'drawer')
  notes = []
})
afterEach(() => temporary.remove())

describe('a drawer', () => {
  const drawerOf = (entries: number): Drawer =>
    new Drawer(directory, {entries, entryBytes: 100, maxAge: DAY, onTrouble: (text) => void notes.push(text)})

  it('keeps no more entries than it has room for, and those the newest', async () => {
    const wide = drawerOf(100)
    for (let index = 0; index < 12; index += 1) await wide.put(`key ${index}`, `${index}`)
    const names = await readdir(directory)
    const age = async (key: string, minutes: number): Promise<void> => {
      const path = join(directory, createHash('sha256').update(key).digest('hex'))
      const then = new Date(Date.now() - minutes * 60_000)
      await utimes(path, then, then)
    }
    for (let index = 0; index < names.length; index += 1) await age(`key ${index}`, 60 - index)

    await drawerOf(8).put('one more', 'new')

    await expect.poll(() => readdir(directory).then(({length}) => length)).toBe(6)
    const left = drawerOf(8)
    expect(await left.get('key 0')).toBeUndefined()
    expect(String(await left.get('key 11'))).toBe('11')
    expect(String(await left.get('one more'))).toBe('new')
  })

  it('clears away what a crash has left half-written, once nobody can be writing it', async () => {
    await mkdir(directory)
    const [old = '', young = ''] = ['.a.0.tmp', '.b.0.tmp'].map((name) => join(directory, name))
    await writeFile(old, 'half')
    await writeFile(young, 'half')
    const then = new Date(Date.now() - 2 * 3_600_000)
    await utimes(old, then, then)
    await drawerOf(8).put('key', 'value')
    await expect.poll(() => readdir(directory).then(({length}) => length)).toBe(2)
    expect(await readdir(directory)).toContain('.b.0.tmp')
  })

  it('takes nothing that is too large', async () => {
    expect(await drawerOf(8).put('key', Buffer.alloc(101))).toBe(false)
    expect(notes).toEqual([])
  })

  it('gives whole entries to whoever reads while others write and remove', async () => {
    const contents = ['a'.repeat(90), 'b'.repeat(50), 'c']
    const seen = new Set<string>()
    const worker = async (index: number): Promise<void> => {
      for (let round = index; round < index + 150; round += 1) {
        const drawer = drawerOf(8)
        if (round % 7 === 0) await drawer.remove('key')
        else await drawer.put('key', contents[round % 3] ?? '')
        const found = await drawer.get('key')
        if (found !== undefined) seen.add(Buffer.from(found).toString())
        await setTimeout(0)
      }
    }
    await Promise.all([0, 1, 2, 3].map(worker))
    expect([...seen].every((one) => contents.includes(one))).toBe(true)
    expect(seen.size).toBe(3)
    expect(notes).toEqual([])
  })

  it('survives that its directory is moved away', async () => {
    const drawer = drawerOf(8)
    await drawer.put('key', 'value')
    await rename(directory, `${directory}-moved`)
    expect(await drawer.get('key')).toBeUndefined()
    expect(await drawer.put('key', 'value')).toBe(false)
  })
})
