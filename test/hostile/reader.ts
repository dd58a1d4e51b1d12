import {spawn, type ChildProcess} from 'node:child_process'
import {fileURLToPath} from 'node:url'
import type {Reading} from './hostile-case.js'

/** A process that reads bundle files; it is started anew after one that hung, crashed or made it grow. */
export interface Reader extends AsyncDisposable {
  read(path: string): Promise<Reading>
}

/** Milliseconds after which a reading counts as a hang. */
const PATIENCE = 240_000
const USED_UP = 96 * 1024 * 1024

export function startReader(): Reader {
  let child: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    const ending = child
    child = undefined
    if (ending === undefined || ending.exitCode !== null) return
    const gone = new Promise((resolve) => void ending.once('close', resolve))
    ending.kill('SIGKILL')
    await gone
  }
  return {
    read: async (path) => {
      child ??= startChild()
      const reading = await answerOf(child, path)
      if (reading.growth > USED_UP || reading.outcome === 'HANG' || reading.outcome === 'CRASH') await stop()
      return reading
    },
    [Symbol.asyncDispose]: stop,
  }
}

function startChild(): ChildProcess {
  return spawn(
    process.execPath,
    [fileURLToPath(new URL('../dist/hostile/reader-process.js', import.meta.url))],
    {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: {PATH: process.env['PATH'] ?? ''},
    },
  )
}

function answerOf(child: ChildProcess, path: string): Promise<Reading> {
  return new Promise((resolve) => {
    let said = ''
    const hear = (text: Buffer): void => void (said += text.toString())
    const settle = (reading: Reading): void => {
      clearTimeout(timer)
      child.off('message', answered).off('close', closed)
      child.stderr?.off('data', hear)
      resolve(reading)
    }
    const answered = (reading: Reading): void => settle(reading)
    const closed = (): void => settle({outcome: 'CRASH', message: said, growth: 0})
    const timer = setTimeout(() => settle({outcome: 'HANG', message: said, growth: 0}), PATIENCE)
    child.once('message', answered).once('close', closed)
    child.stderr?.on('data', hear)
    child.send(path)
  })
}
