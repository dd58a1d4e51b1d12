import {access} from 'node:fs/promises'
import {join} from 'node:path'
import {startChild, type Child} from './child.js'
import {criPull} from './cri-client.js'

export interface ContainerdOptions {
  /** The place of its data, its state and its socket. */
  readonly directory: string
  /** The path of its config.toml. */
  readonly config: string
  readonly env: Readonly<Record<string, string>>
}

/** The socket of a containerd that was started in a directory. */
export function containerdSocket(directory: string): string {
  return join(directory, 'containerd.sock')
}

/** Debian's containerd, once its CRI answers. It needs the rights of root. */
export async function startContainerd({directory, config, env}: ContainerdOptions): Promise<Child> {
  const socket = containerdSocket(directory)
  const places = ['--root', join(directory, 'root'), '--state', join(directory, 'state'), '--address', socket]
  const started = startChild('containerd', ['--config', config, ...places], {env, timeout: 600_000})
  for (let tries = 0; tries < 300; tries++) {
    if (await answers(socket)) return started
    await new Promise((resolve) => {
      setTimeout(resolve, 100)
    })
  }
  started.kill('SIGKILL')
  throw new Error(`containerd did not start:\n${started.stderr}`)
}

/** The socket is there before the CRI is: `unimplemented` (12) says that it is not, any other status that it is. */
async function answers(socket: string): Promise<boolean> {
  try {
    await access(socket)
    const {status} = await criPull(socket, '')
    return status !== 12 && status !== 14
  } catch {
    return false
  }
}
