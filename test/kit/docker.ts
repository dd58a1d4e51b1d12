import {join} from 'node:path'
import {startChild, runChild, type ChildResult} from './child.js'
import {cleanEnvironment} from './run-mirror.js'

/** The programs that {@link startDocker} needs. */
export const DOCKER_TOOLS = ['dockerd', 'docker', 'containerd', 'unshare'] as const

export interface Docker extends AsyncDisposable {
  /** Runs the client. */
  run(...args: readonly string[]): Promise<ChildResult>
}

/** Starts Debian's dockerd with its data in a directory and without a network, once it answers. It needs the rights of root. */
export async function startDocker(directory: string): Promise<Docker> {
  const env = cleanEnvironment(directory)
  const socket = `unix://${join(directory, 'docker.sock')}`
  const data = ['--data-root', join(directory, 'docker'), '--storage-driver', 'vfs']
  const state = ['--exec-root', join(directory, 'docker-run'), '--pidfile', join(directory, 'docker.pid')]
  const network = ['--bridge', 'none', '--iptables=false', '--ip6tables=false']
  // dockerd mounts its data onto itself and leaves it so: a namespace of its own takes the mount along.
  const own = ['--mount', '--propagation', 'private', 'dockerd']
  const daemon = startChild('unshare', [...own, '--host', socket, ...data, ...state, ...network], {env})
  const run = (...args: readonly string[]) => runChild('docker', ['--host', socket, ...args], {env})
  for (let tries = 0; tries < 300; tries++) {
    const {code} = await run('version')
    if (code === 0) {
      return {
        run,
        [Symbol.asyncDispose]: async () => {
          daemon.kill('SIGTERM')
          await daemon.result
        },
      }
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 100)
    })
  }
  daemon.kill('SIGKILL')
  throw new Error(`dockerd did not start:\n${daemon.stderr}`)
}
