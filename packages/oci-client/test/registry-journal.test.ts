import {describe, expect, it} from 'vitest'
import type {JournalledUpload, RegistryOptions, UploadJournal} from '#src/client/options.js'
import {digestOf} from '#src/model/index.js'
import {blobOf, connect, kinds, MiB, noise, pendingOf, useRegistries} from './registry-kit.js'
import type {TestRegistry} from '../../../test/registry/index.js'

const start = useRegistries()

const REPO = 'team/app'
const SIZE = 9 * MiB

/** Returns a journal like a state directory's, in memory. */
function memoryJournal(): UploadJournal & {readonly entries: Map<string, string>} {
  const entries = new Map<string, string>()
  const keyOf = ({repository, key}: JournalledUpload): string => `${repository} ${key}`
  return {
    entries,
    find: async (upload) => entries.get(keyOf(upload)),
    note: async (upload, location) => {
      entries.set(keyOf(upload), location)
      return true
    },
    forget: async (upload) => void entries.delete(keyOf(upload)),
  }
}

/** The first body that arrives is cut after so many bytes, and nobody tries again: as if the process had been killed. */
function tornAfter(after: number) {
  return {match: {kind: 'send' as const}, fault: {type: 'reset-in-body' as const, after}} as const
}

async function pushTorn(
  served: TestRegistry,
  {journal, blob}: {readonly journal: UploadJournal; readonly blob: ReturnType<typeof blobOf>},
): Promise<void> {
  await using killed = connect(served.host, {journal, retries: 0})
  await expect(killed.putBlob(REPO, blob)).rejects.toMatchObject({code: 'UNREACHABLE'})
}

/** A later run with the same journal. */
async function later(
  served: TestRegistry,
  {blob, ...options}: Partial<RegistryOptions> & {readonly blob: ReturnType<typeof blobOf>},
): Promise<readonly string[]> {
  const warnings: string[] = []
  await using registry = connect(served.host, {...options, onWarning: (text) => warnings.push(text)})
  const outcome = await registry.putBlob(REPO, blob)
  expect(outcome.how).toBe('uploaded')
  return warnings
}

async function holds(served: TestRegistry, bytes: Buffer): Promise<boolean> {
  return bytes.equals((await served.blob(REPO, digestOf(bytes))) ?? Buffer.alloc(0))
}

describe('a large blob that an earlier run has begun', () => {
  const bytes = noise(SIZE)

  it('goes on where the registry says it is', async () => {
    const journal = memoryJournal()
    const {served} = await start({faults: [tornAfter(6 * MiB)]})
    await pushTorn(served, {journal, blob: blobOf(bytes)})
    expect([...journal.entries.keys()]).toEqual([`${REPO} ${digestOf(bytes)}`])
    served.clearLog()
    const opened: number[] = []
    const blob = blobOf(bytes, {onOpen: (offset) => opened.push(offset)})

    expect(await later(served, {journal, blob})).toEqual([])

    expect(kinds(served)).toEqual(['blob-head', 'status', 'send', 'commit'])
    expect(opened).toEqual([6 * MiB])
    expect(served.bytesReceived).toBe(3 * MiB)
    expect(await holds(served, bytes)).toBe(true)
    expect(journal.entries.size).toBe(0)
    expect(served.openUploads).toBe(0)
  })

  it('goes on where the registry says it is, though its digest is still being made', async () => {
    const journal = memoryJournal()
    const {served} = await start({faults: [tornAfter(6 * MiB)]})
    await pushTorn(served, {journal, blob: pendingOf(bytes)})
    served.clearLog()

    expect(await later(served, {journal, blob: pendingOf(bytes)})).toEqual([])

    expect(kinds(served)).toEqual(['status', 'send', 'commit'])
    expect(served.bytesReceived).toBe(3 * MiB)
    expect(await holds(served, bytes)).toBe(true)
  })

  it('is committed where all of it has arrived', async () => {
    const journal = memoryJournal()
    const {served} = await start({faults: [{match: {kind: 'commit'}, fault: {type: 'reset-before'}}]})
    await pushTorn(served, {journal, blob: blobOf(bytes)})
    served.clearLog()

    expect(await later(served, {journal, blob: blobOf(bytes)})).toEqual([])

    expect(kinds(served)).toEqual(['blob-head', 'status', 'commit'])
    expect(await holds(served, bytes)).toBe(true)
  })

  it('is committed by whoever knows its digest, though the earlier run had yet to make it', async () => {
    const journal = memoryJournal()
    const {served} = await start({faults: [{match: {kind: 'commit'}, fault: {type: 'reset-before'}}]})
    await pushTorn(served, {journal, blob: pendingOf(bytes)})
    served.clearLog()

    expect(await later(served, {journal, blob: blobOf(bytes)})).toEqual([])

    expect(kinds(served)).toEqual(['blob-head', 'status', 'commit'])
    expect(journal.entries.size).toBe(1)
  })

  it('is found at the place that the last chunk had led to', async () => {
    const journal = memoryJournal()
    const {served} = await start({faults: [{...tornAfter(MiB), nth: 3}]})
    await using killed = connect(served.host, {journal, retries: 0, chunkSize: 2 * MiB})
    await expect(killed.putBlob(REPO, blobOf(bytes))).rejects.toMatchObject({code: 'UNREACHABLE'})
    served.clearLog()

    await later(served, {journal, blob: blobOf(bytes), chunkSize: 2 * MiB})

    expect(served.requests.find(({kind}) => kind === 'send')?.headers['content-range']).toBe(
      `${5 * MiB}-${7 * MiB - 1}`,
    )
    expect(await holds(served, bytes)).toBe(true)
  })

  it('is asked about again where more of it was on its way than the registry knew', async () => {
    const journal = memoryJournal()
    const {served} = await start({faults: [tornAfter(6 * MiB)]})
    await pushTorn(served, {journal, blob: blobOf(bytes)})
    served.setFaults([{match: {kind: 'status'}, fault: {type: 'wrong-range', range: `0-${4 * MiB - 1}`}}])
    served.clearLog()

    await later(served, {journal, blob: blobOf(bytes)})

    expect(kinds(served)).toEqual(['blob-head', 'status', 'send', 'status', 'send', 'commit'])
    expect(await holds(served, bytes)).toBe(true)
  })

  it.each([
    ['forgetful', 'cannot continue a broken upload'],
    ['deleting', 'has not kept the part of a blob that an earlier run sent'],
  ] as const)('starts again where the registry is %s, and says so', async (uploads, warning) => {
    const journal = memoryJournal()
    const {served} = await start({uploads, faults: [tornAfter(6 * MiB)]})
    await pushTorn(served, {journal, blob: blobOf(bytes)})
    served.clearLog()

    const warnings = await later(served, {journal, blob: blobOf(bytes)})

    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(warning)
    expect(kinds(served)).toEqual(['blob-head', 'status', 'start', 'send', 'commit'])
    expect(await holds(served, bytes)).toBe(true)
    expect(served.openUploads).toBe(0)
  })

  it('is not asked about where the host is known not to resume', async () => {
    const journal = memoryJournal()
    const {served} = await start({uploads: 'forgetful', faults: [tornAfter(6 * MiB)]})
    await pushTorn(served, {journal, blob: blobOf(bytes)})
    served.clearLog()

    const warnings = await later(served, {journal, blob: blobOf(bytes), knowledge: {resume: 'broken'}})

    expect(warnings).toHaveLength(1)
    expect(kinds(served)).toEqual(['blob-head', 'cancel', 'start', 'send', 'commit'])
    expect(served.openUploads).toBe(0)
  })

  it('starts again where the session holds other bytes', async () => {
    const journal = memoryJournal()
    const {served} = await start({faults: [tornAfter(6 * MiB)]})
    await pushTorn(served, {journal, blob: blobOf(noise(SIZE, 'other'))})
    const [location = ''] = journal.entries.values()
    journal.entries.set(`${REPO} ${digestOf(bytes)}`, location)

    await later(served, {journal, blob: blobOf(bytes)})

    expect(await holds(served, bytes)).toBe(true)
  })

  it.each([
    'not a URL',
    'http://127.0.0.1:1/v2/team/app/blobs/uploads/1',
    'ftp://host/',
    '/v2/team/app/blobs/uploads/00000000-0000-0000-0000-000000000000?_state=x',
  ])('starts again where the journal says %s', async (location) => {
    const journal = memoryJournal()
    const {served} = await start()
    journal.entries.set(`${REPO} ${digestOf(bytes)}`, location)

    await later(served, {journal, blob: blobOf(bytes), retries: 1})

    expect(await holds(served, bytes)).toBe(true)
  })

  it.each([403, 500])('starts again where the registry answers %i when asked about it', async (status) => {
    const journal = memoryJournal()
    const {served} = await start({faults: [tornAfter(6 * MiB)]})
    await pushTorn(served, {journal, blob: blobOf(bytes)})
    served.setFaults([{match: {kind: 'status'}, times: Infinity, fault: {type: 'status', status}}])

    await later(served, {journal, blob: blobOf(bytes), retries: 1})

    expect(await holds(served, bytes)).toBe(true)
  })

  it('goes to no host that only the journal names', async () => {
    const journal = memoryJournal()
    const {served: stranger} = await start()
    const auth = {type: 'basic', users: [{name: 'me', password: 'secret'}]} as const
    const {served} = await start({auth})
    journal.entries.set(`${REPO} ${digestOf(bytes)}`, `${stranger.url}/v2/${REPO}/blobs/uploads/1`)

    await later(served, {
      journal,
      blob: blobOf(bytes),
      credentials: async () => ({kind: 'basic', username: 'me', password: 'secret', origin: 'test'}),
    })

    expect(stranger.requests).toEqual([])
    expect(await holds(served, bytes)).toBe(true)
  })
})

describe('a small blob', () => {
  it('is not written down', async () => {
    const journal = memoryJournal()
    const noted: string[] = []
    const {registry} = await start(
      {},
      {journal: {...journal, note: async ({key}) => noted.push(key) > 0, find: async () => 'never asked'}},
    )
    await registry.putBlob(REPO, blobOf(noise(7 * MiB)))
    expect(noted).toEqual([])
  })
})

describe('an upload that is stopped', () => {
  const bytes = noise(SIZE)

  const stopped = async (served: TestRegistry, journal: UploadJournal | undefined): Promise<TestRegistry> => {
    const stop = new AbortController()
    await using registry = connect(served.host, {journal})
    const pause = async (position: number): Promise<void> => {
      if (position < 4 * MiB) return
      while (served.bytesReceived < MiB) await new Promise((resolve) => setTimeout(resolve, 5))
      stop.abort()
    }
    const upload = registry.putBlob(REPO, blobOf(bytes, {pause}), {signal: stop.signal})
    await expect(upload).rejects.toMatchObject({code: 'CANCELLED'})
    return served
  }

  it('keeps the session where a later run can go on with it', async () => {
    const journal = memoryJournal()
    const {served} = await start()
    await stopped(served, journal)
    expect(served.openUploads).toBe(1)
    expect(journal.entries.size).toBe(1)
    served.clearLog()

    await later(served, {journal, blob: blobOf(bytes)})

    expect(served.bytesReceived).toBeLessThan(SIZE)
    expect(await holds(served, bytes)).toBe(true)
    expect(served.openUploads).toBe(0)
  })

  it.each(['forgetful', 'deleting'] as const)(
    'ends the session where the registry is %s',
    async (uploads) => {
      const journal = memoryJournal()
      const {served} = await start({uploads})
      await stopped(served, journal)
      expect(served.openUploads).toBe(0)
      expect(journal.entries.size).toBe(0)
    },
  )

  it('ends the session where nothing is written down', async () => {
    const {served} = await start()
    await stopped(served, undefined)
    expect(served.openUploads).toBe(0)
  })
})
