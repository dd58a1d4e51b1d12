import {chmod, chown, mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest'
import {openState} from '#src/state/open-state.js'

let directory: string
let state: string
let count = 0
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-own-'))
})
afterAll(() => rm(directory, {recursive: true}))
beforeEach(async () => {
  state = join(directory, String(count++), 'state')
  await mkdir(join(state, 'v1', 'tags'), {recursive: true, mode: 0o700})
})

const OTHER = 12_345
const isRoot = process.getuid?.() === 0

async function noteOf(): Promise<string | undefined> {
  let note: string | undefined
  const opened = await openState({directory: state, layerFormat: 1, onNote: (text) => (note = text)})
  expect(opened === undefined).toBe(note !== undefined)
  return note
}

test('State in a directory of our own is used', async () => {
  expect(await noteOf()).toBeUndefined()
})

test.skipIf(!isRoot)('Root uses no state that belongs to another user (needs root)', async () => {
  await chown(join(state, 'v1'), OTHER, OTHER)
  expect(await noteOf()).toMatch(/it belongs to somebody else$/)
})

test.skipIf(!isRoot)('State below a directory of another user is not used (needs root)', async () => {
  await chown(state, OTHER, OTHER)
  expect(await noteOf()).toMatch(/its parent .* belongs to somebody else$/)
})

test.skipIf(!isRoot)(
  'A drawer that belongs to another user keeps state from being used (needs root)',
  async () => {
    await chown(join(state, 'v1', 'tags'), OTHER, OTHER)
    expect(await noteOf()).toMatch(/tags in it: it belongs to somebody else$/)
  },
)

test('A drawer that others may write into keeps state from being used', async () => {
  await chmod(join(state, 'v1', 'tags'), 0o770)
  expect(await noteOf()).toMatch(/tags in it: others may write there$/)
})

test('State below a directory that others may write into is used only if that is sticky', async () => {
  await chmod(state, 0o777)
  expect(await noteOf()).toMatch(/others may write into its parent/)
  await chmod(state, 0o1777)
  expect(await noteOf()).toBeUndefined()
})
