import type {Child} from './child.js'
import {startMirror, type RunMirrorOptions} from './run-mirror.js'

/** A process of `mirror serve` over plain HTTP on a free port of loopback. */
export interface MirrorServer extends AsyncDisposable {
  readonly child: Child
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** With the scheme. */
  readonly url: string
}

const STEP = 20
const STEPS = 12_000

/**
 * Starts a server, and waits until it has printed its address.
 * @param args beside those for the address; `--plain-http` unless certificates are given
 * @throws with its output if it ends before
 */
export async function startMirrorServer(
  args: readonly string[],
  options: RunMirrorOptions = {},
): Promise<MirrorServer> {
  const plain = args.includes('--tls-cert') ? [] : ['--plain-http']
  const child = await startMirror(['serve', '--listen', '127.0.0.1:0', ...plain, ...args], {
    timeout: 900_000,
    ...options,
  })
  let isOver = false
  void child.result.finally(() => {
    isOver = true
  })
  for (let step = 0; step < STEPS; step += 1) {
    const url = /on (https?:\/\/\S+);/.exec(child.stderr)?.[1]
    if (url !== undefined) {
      return {
        child,
        url,
        host: url.replace(/^https?:\/\//, ''),
        async [Symbol.asyncDispose]() {
          child.kill('SIGTERM')
          await child.result
        },
      }
    }
    if (isOver) break
    await new Promise((resolve) => {
      setTimeout(resolve, STEP)
    })
  }
  throw new Error(`mirror serve did not start: ${child.stderr}`)
}
