import {randomBytes} from 'node:crypto'
import {link, open, readdir, rm, type FileHandle} from 'node:fs/promises'
import {join} from 'node:path'
import {codeOf, parseHolder, type LockHolder} from '@airgap-mirror/oci-client/model'

/**
 * A lock is a directory of numbered files. The highest names the holder, or says that there is none. To take it is to
 * link the next number, which one process alone can do; who is there already is never overwritten and never removed but by
 * one that has taken a higher number. So two that both find a dead holder cannot both become its successor: a lock that is
 * one file would have to be removed and made again, and a slow process would remove the new one.
 */
export interface QueuedLock {
  readonly number: number
  readonly isReleased: boolean
  /** Undefined if it is damaged. */
  readonly holder: LockHolder | undefined
  /** Everything but whether it is released: no two files' are equal. */
  readonly body: string
  /** Milliseconds, by the file system's clock. */
  readonly mtime: number
}

/** A fixed length, so that one takes the other's place in a single write. */
const HELD = 'held    \n'
const RELEASED = 'released\n'
/** The largest is some 700 bytes. */
const MAX_BYTES = 4096

/** The file with the highest number. `vanished`: it was removed just now, for a higher one. */
export async function highestQueued(directory: string): Promise<QueuedLock | undefined | 'vanished'> {
  const number = Math.max(0, ...(await numbersIn(directory)))
  return number === 0 ? undefined : ((await readQueued(directory, number)) ?? 'vanished')
}

/** @returns undefined if there is none of that number */
export async function readQueued(directory: string, number: number): Promise<QueuedLock | undefined> {
  try {
    await using file = await open(pathOf(directory, number))
    const {buffer, bytesRead} = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0)
    const text = buffer.toString('utf8', 0, bytesRead)
    const body = text.slice(HELD.length)
    const {mtimeMs} = await file.stat()
    return {
      number,
      isReleased: text.startsWith(RELEASED),
      holder: parseBody(body),
      body,
      mtime: mtimeMs,
    }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** A file of ours. Everything is done to the file that is open, so that it can never hit another one of its name. */
export interface OwnFile {
  readonly number: number
  readonly body: string
  /** Shows that its holder lives. */
  touch(): Promise<void>
  /** Says that nobody holds it any more. */
  release(): Promise<void>
}

/**
 * Makes the file of that number, with all its content at once.
 * @returns undefined if there is one already
 */
export async function makeQueued(
  directory: string,
  {number, holder}: {readonly number: number; readonly holder: LockHolder},
): Promise<OwnFile | undefined> {
  const id = randomBytes(16).toString('hex')
  const temporary = join(directory, `.${id}.tmp`)
  const body = `${JSON.stringify({...holder, id})}\n`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(HELD + body)
    await file.sync()
    await link(temporary, pathOf(directory, number))
  } catch (error) {
    await file.close()
    if (codeOf(error) === 'EEXIST') return undefined
    throw error
  } finally {
    await rm(temporary, {force: true})
  }
  return {
    number,
    body,
    touch: () => mark(file, HELD),
    release: async () => {
      try {
        await mark(file, RELEASED)
      } finally {
        await file.close()
      }
    },
  }
}

/** Removes the files of lower numbers, the lowest first: while one is there, so is every one that came after it. */
export async function removeBelow(directory: string, number: number): Promise<void> {
  const lower = (await numbersIn(directory)).filter((other) => other < number)
  for (const one of lower.sort((left, right) => left - right)) {
    await rm(pathOf(directory, one), {force: true})
  }
}

/** Milliseconds on the clock by which the file system stamps files, which may be another machine's. */
export async function fileSystemTime(directory: string): Promise<number> {
  const temporary = join(directory, `.${randomBytes(16).toString('hex')}.tmp`)
  try {
    await using file = await open(temporary, 'wx', 0o600)
    await file.writeFile('?')
    await file.sync()
    return (await file.stat()).mtimeMs
  } finally {
    await rm(temporary, {force: true})
  }
}

/** Written, and not only stamped: a time that is set would be this machine's own. */
async function mark(file: FileHandle, state: string): Promise<void> {
  await file.write(state, 0, 'latin1')
  await file.sync()
}

async function numbersIn(directory: string): Promise<readonly number[]> {
  return (await readdir(directory)).filter((name) => /^[1-9]\d{0,14}$/.test(name)).map(Number)
}

function pathOf(directory: string, number: number): string {
  return join(directory, String(number))
}

function parseBody(body: string): LockHolder | undefined {
  try {
    return parseHolder(JSON.parse(body))
  } catch {
    // A damaged file names no holder, so its age decides.
    return undefined
  }
}

/** ESTALE: it was removed by another client of a network file system. */
function isGone(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ESTALE'
}
