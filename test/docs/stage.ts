import {spawn} from 'node:child_process'
import {chmod, mkdir, readFile, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {
  addImage,
  cleanEnvironment,
  makeAuthority,
  makeImage,
  makeTempDir,
  mirrorProgram,
  ociLayout,
  startProxy,
  writeDirectory,
  type Authority,
  type KeyPair,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {installMirror} from './mirror-command.js'
import {root} from './pages.js'
import {makeBundles, named, publishedImages, type Published} from './stage-images.js'

/** The stage on which the commands of a page run, with the files and registries that the documentation speaks of. */
export interface Stage extends AsyncDisposable {
  /** The directory in which the commands run. */
  readonly directory: string
  /** Runs a block of commands as they are written, by `sh -eu`. */
  run(script: string): Promise<{readonly code: number | null; readonly output: string}>
  /** Returns the tags without their content, in all registries. */
  problems(): readonly string[]
}

/** The names that pages give to registries; a proxy leads to them, as the environment says. */
const HOSTS = [
  'registry.example:5000',
  '172.18.0.20:5000',
  'open.example:5000',
  'mtls.example:5000',
  'plain.example:5000',
] as const
/** Public registries that pages fetch from. One registry plays them all, under a certificate that the stage trusts as the world's. */
const PUBLIC = ['registry-1.docker.io:443', 'gcr.io:443', 'quay.io:443', 'registry.k8s.io:443'] as const
/** The address of a proxy, as pages write it. */
const PROXY = 'proxy.example:3128'

const user = {name: 'pusher', password: 'secret'}

/** Parts of the stage that no command changes, made once. */
interface Scenery {
  readonly authority: Authority
  readonly client: KeyPair
  readonly tls: KeyPair
  readonly world: Authority
  readonly worldly: KeyPair
  readonly published: readonly Published[]
  readonly bundles: Readonly<Record<string, Uint8Array>>
}

let scenery: Promise<Scenery> | undefined

async function makeScenery(): Promise<Scenery> {
  const authority = await makeAuthority()
  const world = await makeAuthority()
  return {
    authority,
    client: await authority.issueClient({name: 'pusher'}),
    tls: await authority.issue({hosts: HOSTS.map((host) => host.replace(/:.*/, ''))}),
    world,
    worldly: await world.issue({hosts: PUBLIC.map((host) => host.replace(/:.*/, ''))}),
    published: await publishedImages(),
    bundles: await makeBundles(),
  }
}

/**
 * @param isShared the program runs in the test's process: enough where no command depends on a process of its own, and
 * much faster
 */
export async function setStage({isShared = false}: {readonly isShared?: boolean} = {}): Promise<Stage> {
  scenery ??= makeScenery()
  const {authority, client, tls, world, worldly, published, bundles} = await scenery
  const directory = await makeTempDir()
  const login = {type: 'basic', users: [user]} as const
  const everywhere = await startRegistry({tls: worldly})
  for (const {image, ...place} of published) await addImage(everywhere, image, place)
  const registries: readonly TestRegistry[] = await Promise.all([
    startRegistry({tls, auth: login}),
    startRegistry({tls, auth: login}),
    startRegistry({tls}),
    startRegistry({tls: {...tls, clientCa: authority.ca}}),
    startRegistry(),
  ])
  const names = Object.fromEntries([
    ...HOSTS.map((host, index) => [host, registries[index]?.host ?? ''] as const),
    ...PUBLIC.map((host) => [host, everywhere.host] as const),
  ])
  const proxy = await startProxy({names})
  await writeFiles(directory.path, {
    'ca.pem': authority.ca,
    'world.pem': world.ca,
    'client.pem': client.cert,
    'client-key.pem': client.key,
    'password.txt': `${user.password}\n`,
    '.docker/config.json': JSON.stringify({
      auths: {'registry.example:5000': authOf(), '172.18.0.20:5000': authOf()},
    }),
    'config.json': JSON.stringify({auths: {'registry.example:5000': authOf()}}),
    'bin/mail': '#!/bin/sh\ncat >/dev/null\n',
    'bin/mirror': `#!/bin/sh\nexec '${process.execPath}' '${mirrorProgram()}' "$@"\n`,
    'k3s-images.txt': 'docker.io/rancher/mirrored-pause:3.6\n',
    'skopeo-sync.yaml':
      'registry.k8s.io:\n  images:\n    pause: ["3.9"]\nquay.io:\n  images-by-semver:\n    team/tool: ">= 1.30"\n',
    'regsync.yml': REGSYNC,
    'hub-token.txt': 'token\n',
    'cluster.yaml': CLUSTER,
    'apps.txt': 'gcr.io/team/app:v1\n',
    'pods.json': JSON.stringify({
      kind: 'List',
      items: [{kind: 'Pod', spec: {containers: [{name: 'app', image: 'gcr.io/team/app:v1'}]}}],
    }),
    'node1/etc/containerd/config.toml':
      'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n',
    'node1/etc/containerd/certs.d/gcr.io/hosts.toml':
      'server = "https://registry.example:5000"\n[host.https://registry.example:5000]\n',
    'mirror.yaml': await readFile(join(root, 'docs', 'examples', 'mirror.yaml')),
    ...bundles,
  })
  await writeDirectory(
    join(directory.path, 'layout'),
    ociLayout([named('gcr.io/team/app:v1', await makeImage({seed: 'app'}))]),
  )
  for (const program of ['mirror', 'mail']) await chmod(join(directory.path, 'bin', program), 0o755)
  const shared = isShared
    ? await installMirror(join(directory.path, 'bin'), {home: directory.path})
    : undefined
  const clean = cleanEnvironment(directory.path)
  const env = {
    ...clean,
    PATH: `${join(directory.path, 'bin')}:${clean['PATH']}`,
    HTTPS_PROXY: proxy.url,
    HTTP_PROXY: proxy.url,
    // Node reads the first at its start, the program reads the second.
    [isShared ? 'SSL_CERT_FILE' : 'NODE_EXTRA_CA_CERTS']: join(directory.path, 'world.pem'),
  }
  return {
    directory: directory.path,
    run: (script) => runShell(script.replaceAll(PROXY, proxy.host), {cwd: directory.path, env}),
    problems: () => registries.flatMap((registry) => registry.fsck()),
    [Symbol.asyncDispose]: async () => {
      await shared?.[Symbol.asyncDispose]()
      await proxy.close()
      await Promise.all([everywhere, ...registries].map((registry) => registry.close()))
      await directory.remove()
    },
  }
}

/** A cluster file of bmctl. */
const CLUSTER = `# header
gcrKeyPath: /keys/gcr.json
---
apiVersion: baremetal.cluster.gke.io/v1
kind: Cluster
metadata:
  name: cluster1
`

const REGSYNC = `version: 1
creds:
  - registry: registry.example:5000
    user: pusher
    pass: '{{env "REGISTRY_PASSWORD"}}'
sync:
  - source: quay.io/team/tool
    target: registry.example:5000/regsync/tool
    type: repository
    tags: {allow: ['v1\\.3.*']}
`

function authOf(): {auth: string} {
  return {auth: Buffer.from(`${user.name}:${user.password}`).toString('base64')}
}

async function writeFiles(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const folder of ['bin', '.docker', '.run']) await mkdir(join(directory, folder), {recursive: true})
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), {recursive: true})
    await writeFile(join(directory, path), content)
  }
}

function runShell(
  script: string,
  options: {readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>>},
): Promise<{code: number | null; output: string}> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-eu', '-c', script], {...options, stdio: ['ignore', 'pipe', 'pipe']})
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.once('error', reject).once('close', (code) => resolve({code, output}))
  })
}
