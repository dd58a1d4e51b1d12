import {existsSync} from 'node:fs'
import {access, mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import {cleanEnvironment, criPull, runChild, startChild, type Child} from '@airgap-mirror/test/kit'
import type {Pull, Pulled} from './scenario.js'

interface Place {
  readonly directory: string
  /** PEM of the roots that the system trusts. */
  readonly roots: string
}

/** Lets each runtime pull its images, one after the other. */
export async function runPulls(pulls: readonly Pull[], place: Place): Promise<readonly Pulled[]> {
  const needsContainerd = pulls.some(({by}) => by === 'cri' || by === 'ctr')
  const containerd = needsContainerd ? await startContainerd(place) : undefined
  try {
    const pulled: Pulled[] = []
    for (const pull of pulls) pulled.push({...pull, ...(await run(pull, place))})
    return pulled
  } finally {
    containerd?.kill('SIGTERM')
    await containerd?.result
  }
}

type Ended = Pick<Pulled, 'succeeded' | 'output'>

async function run({by, image}: Pull, place: Place): Promise<Ended> {
  const at = (name: string): string => join(place.directory, name)
  if (by === 'cri') {
    const {status, message} = await criPull(at('containerd.sock'), image)
    return {succeeded: status === 0, output: message}
  }
  const calls: Readonly<Record<typeof by, readonly string[]>> = {
    ctr: [
      '--address',
      at('containerd.sock'),
      '--namespace',
      'k8s.io',
      'images',
      'pull',
      '--snapshotter',
      'native',
      '--hosts-dir',
      '/etc/containerd/certs.d',
      '--user',
      'puller:correct: horse',
      image,
    ],
    podman: [
      '--root',
      at('podman'),
      '--runroot',
      at('podman-run'),
      '--storage-driver',
      'vfs',
      'pull',
      '--quiet',
      image,
    ],
    skopeo: ['--tmpdir', place.directory, 'copy', `docker://${image}`, `dir:${at('copied')}`],
  }
  const {code, stdout, stderr} = await runChild(by, calls[by], {env: environment(place)})
  return {succeeded: code === 0, output: stdout + stderr}
}

/** Home is where the emitted files have one for root. */
function environment({directory, roots}: Place): Readonly<Record<string, string>> {
  const {XDG_CONFIG_HOME: _config, ...clean} = cleanEnvironment(join(directory, 'node', 'root'))
  const crio = join(directory, 'node', 'etc', 'crio', 'mirror-auth.json')
  return {...clean, SSL_CERT_FILE: roots, ...(existsSync(crio) ? {REGISTRY_AUTH_FILE: crio} : {})}
}

async function startContainerd(place: Place): Promise<Child> {
  const at = (name: string): string => join(place.directory, name)
  await mkdir(at('state'), {recursive: true})
  const started = startChild(
    'containerd',
    [
      '--config',
      '/etc/containerd/config.toml',
      '--root',
      at('root'),
      '--state',
      at('state'),
      '--address',
      at('containerd.sock'),
    ],
    {env: environment(place), timeout: 600_000},
  )
  for (let tries = 0; tries < 300; tries++) {
    if (await answers(at('containerd.sock'))) return started
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
