import {createHash} from 'node:crypto'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {
  makeDirectory,
  cancelled,
  inSpan,
  isMirrorError,
  messageOf,
  MirrorError,
  fateOf,
  thisProcess,
} from '@airgap-mirror/oci-client/model'
import {
  fileSystemTime,
  highestQueued,
  makeQueued,
  readQueued,
  removeBelow,
  type QueuedLock,
  type OwnFile,
} from './lock-queue.js'

export interface LockOptions {
  /** The name of the lock: any text. */
  readonly key: string
  /** Milliseconds to wait for the holder; 0: not at all. */
  readonly wait: number
  readonly signal?: AbortSignal
  /** Called once when waiting begins, with a message that names the holder. */
  readonly onWait?: (text: string) => void
  /** Milliseconds between signs of life; default 15,000. */
  readonly heartbeat?: number
}

/** Held until it is disposed of, which leaves a lock that somebody else has taken meanwhile to them. */
export interface Lock extends AsyncDisposable {
  /**
   * Aborted with STATE_LOCKED once the lock is seen to be lost: another host took it over since this process stood still for
   * two minutes, or somebody removed the state. Looked after with every heartbeat.
   */
  readonly signal: AbortSignal
  /** Looks now: for the moment before something that only the holder may do. */
  held(): Promise<boolean>
}

const HEARTBEAT = 15_000
/** Eight heartbeats: network file systems show the writes of others up to a minute late. */
const STALE = 120_000
const FIRST_PAUSE = 50
const LONGEST_PAUSE = 2000
/** Each is lost to a process that got the lock, so that the next attempt usually finds it held. */
const LOST_RACES = 100

/**
 * Takes a lock between processes, on this host and on all that share the directory. A dead process's lock is taken over: at
 * once if the process was on this host, else when its heartbeat has stopped for two minutes.
 * @param directory where state is kept; the lock is in `v1/locks` below
 * @throws {MirrorError} STATE_LOCKED if another run holds it, CANCELLED, WRITE_FAILED
 */
export async function acquireLock(directory: string, options: LockOptions): Promise<Lock> {
  const {key, wait, signal, onWait, heartbeat = HEARTBEAT} = options
  const queue = join(directory, 'v1', 'locks', createHash('sha256').update(key).digest('hex'))
  const deadline = performance.now() + wait
  let pause = FIRST_PAUSE
  let isTold = false
  for (let races = 0; ;) {
    if (signal?.aborted) throw cancelled(signal)
    const taken = await take(queue).catch((error: unknown) => {
      throw cannotLock(queue, error)
    })
    if (taken.own !== undefined) return keep(queue, {own: taken.own, heartbeat})
    if (taken.by === undefined && races < LOST_RACES) {
      races += 1
      continue
    }
    const left = deadline - performance.now()
    if (left <= 0) throw lockedBy(taken.by)
    if (!isTold) onWait?.(`waiting for another run to end: ${nameOf(taken.by)}`)
    isTold = true
    await inSpan(
      () => ({kind: 'waiting', name: 'lock of another run'}),
      () => sleep(Math.min(pause, left), undefined, {signal}),
    ).catch(() => {
      throw cancelled(signal)
    })
    pause = Math.min(pause * 2, LONGEST_PAUSE)
  }
}

/** Our lock, or its present holder, or neither if another process was faster. */
type Taken = {readonly own: OwnFile} | {readonly own?: undefined; readonly by: QueuedLock | undefined}

const LOST_RACE: Taken = {by: undefined}

async function take(queue: string): Promise<Taken> {
  await makeDirectory(queue, {mode: 0o700})
  const before = await highestQueued(queue)
  if (before === 'vanished') return LOST_RACE
  if (before !== undefined && !(await isFree(queue, before))) return {by: before}
  const own = await makeQueued(queue, {number: (before?.number ?? 0) + 1, holder: await thisProcess()})
  if (own === undefined) return LOST_RACE
  if (await isNext(queue, {own, before})) {
    await removeBelow(queue, own.number)
    return {own}
  }
  // Left for the next holder to remove: by its name alone somebody else's could be hit.
  await own.release()
  return LOST_RACE
}

/**
 * Resolves to true if no other process took the lock in between. A slow process can take a number that was taken and
 * removed again. Then the file before it is gone as well, because the lowest numbers are removed first.
 */
async function isNext(
  queue: string,
  {own, before}: {readonly own: OwnFile; readonly before: QueuedLock | undefined},
): Promise<boolean> {
  const highest = await highestQueued(queue)
  if (highest === undefined || highest === 'vanished' || highest.body !== own.body) return false
  return before === undefined || (await readQueued(queue, before.number))?.body === before.body
}

async function isFree(queue: string, file: QueuedLock): Promise<boolean> {
  if (file.isReleased) return true
  const fate = file.holder === undefined ? 'unknown' : await fateOf(file.holder, await thisProcess())
  return fate === 'unknown' ? (await fileSystemTime(queue)) - file.mtime > STALE : fate === 'gone'
}

function keep(queue: string, {own, heartbeat}: {readonly own: OwnFile; readonly heartbeat: number}): Lock {
  const lost = new AbortController()
  let seen = Date.now()
  let isReleased = false
  const held = async (): Promise<boolean> => {
    if (isReleased || lost.signal.aborted) return false
    const isOurs = async (): Promise<boolean> =>
      (await readQueued(queue, own.number + 1)) === undefined &&
      (await readQueued(queue, own.number))?.body === own.body
    // If we cannot read the queue we do not know. Others may then miss our heartbeat, so the lock counts as lost after a while.
    const answer = await isOurs().catch(() => undefined)
    if (answer === true) seen = Date.now()
    if (answer === false || Date.now() - seen > STALE) lost.abort(lockLost())
    return answer === true
  }
  const beat = async (): Promise<void> => {
    // Checked first, because a lost lock must not look alive.
    if (await held()) await own.touch().catch(() => undefined)
  }
  let beating = Promise.resolve()
  const timer = setInterval(() => {
    beating = beating.then(beat)
  }, heartbeat).unref()
  const release = async (): Promise<void> => {
    if (isReleased) return
    isReleased = true
    clearInterval(timer)
    await beating
    // One that cannot be marked is free all the same, once this process is gone.
    await own.release().catch(() => undefined)
  }
  return {signal: lost.signal, held, [Symbol.asyncDispose]: release}
}

function nameOf(file: QueuedLock | undefined): string {
  const holder = file?.holder
  if (holder === undefined) return 'its name cannot be read'
  return `process ${holder.pid} on ${holder.host}, since ${holder.since}`
}

function lockedBy(file: QueuedLock | undefined): MirrorError {
  return new MirrorError('STATE_LOCKED', `another run is at work: ${nameOf(file)}`, {
    advice: {kind: 'wait-for-lock'},
  })
}

function lockLost(): MirrorError {
  return new MirrorError('STATE_LOCKED', 'the lock of this run was lost: another run may be at work', {
    hint: 'Run the same command again: this machine was asleep, or its state was removed.',
  })
}

function cannotLock(queue: string, cause: unknown): MirrorError {
  return isMirrorError(cause)
    ? cause
    : new MirrorError('WRITE_FAILED', `cannot lock ${queue}: ${messageOf(cause)}`, {
        advice: {kind: 'use-another-state'},
        cause,
      })
}
