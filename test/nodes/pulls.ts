import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {defined} from '@airgap-mirror/oci-client/model'
import {cleanEnvironment, containerdSocket, criPull, runChild, startContainerd} from '@airgap-mirror/test/kit'
import type {Pull, Pulled} from './scenario.js'

interface Place {
  readonly directory: string
  /** PEM of the roots that the system trusts. */
  readonly roots: string
}

/** Lets each runtime pull its images, one after the other. */
export async function runPulls(pulls: readonly Pull[], place: Place): Promise<readonly Pulled[]> {
  const needsContainerd = pulls.some(({by}) => by === 'cri' || by === 'ctr')
  const {directory} = place
  const config = '/etc/containerd/config.toml'
  const containerd = needsContainerd
    ? await startContainerd({directory, config, env: environment(place)})
    : undefined
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
    const {status, message} = await criPull(containerdSocket(place.directory), image)
    return {succeeded: status === 0, output: message}
  }
  const calls: Readonly<Record<typeof by, readonly string[]>> = {
    ctr: [
      '--address',
      containerdSocket(place.directory),
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
  return {
    ...clean,
    SSL_CERT_FILE: roots,
    ...defined({REGISTRY_AUTH_FILE: existsSync(crio) ? crio : undefined}),
  }
}
