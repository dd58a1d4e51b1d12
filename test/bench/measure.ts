import {spawn} from 'node:child_process'
import {readdirSync, readFileSync, statSync} from 'node:fs'
import {join} from 'node:path'

/** The figures of a pipeline of programs. Seconds and bytes. */
export interface Measured {
  readonly seconds: number
  /** The largest single process. */
  readonly peakMemory: number
  readonly peakScratch: number
  readonly stdout: string
  /** The time of all processors together, of the program and of those it started. */
  readonly cpuSeconds: number
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** The directory that the pipeline may write to: watched for its size. */
  readonly scratch?: string
}

/** Runs one program to its end. @throws where it ends with another code than 0 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const timed = ['-c', 'TIMEFORMAT="cpu %U %S"; time "$0" "$@"', command, ...args]
    const child = spawn('bash', timed, {
      env: {...process.env, ...options.env},
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    let peakMemory = 0
    let peakScratch = 0
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const watch = setInterval(() => {
      peakMemory = Math.max(peakMemory, memoryBelow(child.pid))
      if (options.scratch !== undefined) peakScratch = Math.max(peakScratch, sizeOf(options.scratch))
    }, 50)
    child.once('error', reject)
    child.once('close', (code) => {
      clearInterval(watch)
      if (code !== 0)
        reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr.slice(-2000)}`))
      else {
        const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr) ?? []
        const cpuSeconds = Number(user) + Number(system)
        resolve({seconds: (performance.now() - started) / 1000, peakMemory, peakScratch, stdout, cpuSeconds})
      }
    })
  })
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** The high-water mark of the largest process of a tree; 0 where it has ended. */
function memoryBelow(pid: number | undefined): number {
  if (pid === undefined) return 0
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
    const own = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
    return Math.max(own, ...children.map((child) => memoryBelow(Number(child))))
  } catch {
    // the process has ended between two looks
    return 0
  }
}

function sizeOf(directory: string): number {
  let size = 0
  try {
    for (const entry of readdirSync(directory, {recursive: true, withFileTypes: true})) {
      if (entry.isFile()) size += statSync(join(entry.parentPath, entry.name)).blocks * 512
    }
  } catch {
    // files come and go while they are looked at
  }
  return size
}
