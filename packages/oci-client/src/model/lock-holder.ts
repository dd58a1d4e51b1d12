import {readFile, readlink} from 'node:fs/promises'
import {hostname} from 'node:os'
import {isJsonObject} from './descriptor.js'
import {codeOf} from './error-code.js'

/** The process that holds a lock, told so that others can find out whether it still runs. */
export interface LockHolder {
  readonly host: string
  readonly pid: number
  /** ISO 8601. */
  readonly since: string
  /** Linux: when the process started, in ticks since boot. A process id alone comes back with another process. */
  readonly start?: string
  /** Linux: names the boot of the kernel. */
  readonly boot?: string
  /** Linux: the process ids that `pid` is one of. Every container has its own process 1. */
  readonly namespace?: string
}

/** `unknown`: this process cannot tell, because the holder is on another host or in another container. */
export type Fate = 'runs' | 'gone' | 'unknown'

/** The initial namespace's inode, fixed in the kernel. A process in it runs on the machine itself. */
const OF_THE_MACHINE = 'pid:[4026531836]'

export async function thisProcess(): Promise<LockHolder> {
  const [stat, boot, namespace] = await Promise.all([
    readFile('/proc/self/stat', 'latin1').then(startIn, absent),
    readFile('/proc/sys/kernel/random/boot_id', 'latin1').then((text) => text.trim(), absent),
    readlink('/proc/self/ns/pid').catch(absent),
  ])
  return {
    host: hostname(),
    pid: process.pid,
    since: new Date().toISOString(),
    start: stat,
    boot,
    namespace,
  }
}

/** Resolves to the state of the holder, as far as the process `self` can see it. */
export async function fateOf(holder: LockHolder, self: LockHolder): Promise<Fate> {
  if (holder.host !== self.host || holder.namespace !== self.namespace) return 'unknown'
  if (holder.boot !== self.boot) {
    // In containers two that have the same name may be on two machines.
    return holder.boot !== undefined && self.namespace === OF_THE_MACHINE ? 'gone' : 'unknown'
  }
  if (process.platform === 'linux' && self.boot === undefined) return 'unknown'
  if (!isRunning(holder.pid)) return 'gone'
  const stat = await readFile(`/proc/${holder.pid}/stat`, 'latin1').catch(absent)
  if (stat === undefined || holder.start === undefined) return 'runs'
  return startIn(stat) === holder.start ? 'runs' : 'gone'
}

/** @returns undefined if it is none */
export function parseHolder(json: unknown): LockHolder | undefined {
  if (!isJsonObject(json)) return undefined
  const {host, pid, since} = json
  if (!isWord(host) || !isWord(since) || Number.isNaN(Date.parse(since))) return undefined
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined
  const [start, boot, namespace] = [json['start'], json['boot'], json['namespace']]
  return {
    host,
    pid,
    since,
    start: isWord(start) ? start : undefined,
    boot: isWord(boot) ? boot : undefined,
    namespace: isWord(namespace) ? namespace : undefined,
  }
}

/** Fit for messages as it is. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.:[\]-]{1,255}$/.test(value)
}

/** Returns true if a process runs, no matter whose it is. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Anything but "no such process" is about a process that is there, and somebody else's.
    return codeOf(error) !== 'ESRCH'
  }
}

/** Field 22 of `/proc/PID/stat`; undefined for a process that has ended and that nobody has waited for yet. */
function startIn(stat: string): string | undefined {
  // The second field is the program's name in parentheses, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return /^[ZXx]$/.test(fields[0] ?? '') ? undefined : fields[19]
}

function absent(): undefined {
  return undefined
}
