import {spawn} from 'node:child_process'
import {chmod, mkdir, readFile, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {
  addImage,
  cleanEnvironment,
  compress,
  dockerArchive,
  imgpkgTar,
  makeAuthority,
  makeImage,
  makeTempDir,
  mirrorProgram,
  ociLayout,
  startProxy,
  tarBytes,
  writeDirectory,
  type Entry,
  type NamedImage,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {root} from './pages.js'

/** Where the commands of a page are run: the files and registries that the documentation speaks of are there. */
export interface Stage extends AsyncDisposable {
  /** Where the commands are run. */
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
/** How pages write the address of a proxy. */
const PROXY = 'proxy.example:3128'

const user = {name: 'pusher', password: 'secret'}

export async function setStage(): Promise<Stage> {
  const directory = await makeTempDir()
  const authority = await makeAuthority()
  const client = await authority.issueClient({name: 'pusher'})
  const hosts = HOSTS.map((host) => host.replace(/:.*/, ''))
  const tls = await authority.issue({hosts})
  const login = {type: 'basic', users: [user]} as const
  const world = await makeAuthority()
  const worldly = await world.issue({hosts: PUBLIC.map((host) => host.replace(/:.*/, ''))})
  const everywhere = await startRegistry({tls: worldly})
  await fillPublic(everywhere)
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
    ...(await bundles()),
  })
  await writeDirectory(
    join(directory.path, 'layout'),
    ociLayout([named('gcr.io/team/app:v1', await makeImage({seed: 'app'}))]),
  )
  for (const program of ['mirror', 'mail']) await chmod(join(directory.path, 'bin', program), 0o755)
  const clean = cleanEnvironment(directory.path)
  const env = {
    ...clean,
    PATH: `${join(directory.path, 'bin')}:${clean['PATH']}`,
    HTTPS_PROXY: proxy.url,
    HTTP_PROXY: proxy.url,
    NODE_EXTRA_CA_CERTS: join(directory.path, 'world.pem'),
  }
  return {
    directory: directory.path,
    run: (script) => runShell(script.replaceAll(PROXY, proxy.host), {cwd: directory.path, env}),
    problems: () => registries.flatMap((registry) => registry.fsck()),
    [Symbol.asyncDispose]: async () => {
      await proxy.close()
      await Promise.all([everywhere, ...registries].map((registry) => registry.close()))
      await directory.remove()
    },
  }
}

/** Adds the images that the lists and job files of the pages name. */
async function fillPublic(registry: TestRegistry): Promise<void> {
  const tags = {
    'rancher/mirrored-pause': ['3.6'],
    'rancher/klipper-helm': ['v0.9.12'],
    'team/app': ['v1'],
    'team/tool': ['v1.29.4', 'v1.30.0', 'v1.30.1', 'v1.31.0'],
    'library/busybox': ['1.36', '1.37'],
    pause: ['3.9'],
  }
  for (const [repository, names] of Object.entries(tags)) {
    for (const tag of names)
      await addImage(registry, await makeImage({seed: `${repository}:${tag}`}), {repository, tag})
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

function named(name: string, image: TestImage, keep?: NamedImage['keep']): NamedImage {
  return {
    image,
    annotations: {'io.containerd.image.name': name},
    keep,
  }
}

/** The bundles that the pages push, each small and of the shape its name promises. */
async function bundles(): Promise<Readonly<Record<string, Uint8Array>>> {
  const app = await makeImage({seed: 'app', platforms: ['linux/amd64', 'linux/arm64']})
  const busybox = await makeImage({seed: 'busybox'})
  const pause = await makeImage({seed: 'pause'})
  const main = ociLayout([
    named('gcr.io/team/app:v1', app),
    named('docker.io/library/busybox:1.36', busybox),
    named('registry.k8s.io/pause:3.9', pause),
  ])
  const isFirst: NamedImage['keep'] = (platform) => platform === app.platforms[0]
  const lost = ociLayout([named('gcr.io/team/lost:v1', busybox), named('gcr.io/team/app:v1', pause)])
  const lostLayer = busybox.platforms[0]?.layers[0]?.descriptor.digest.slice('sha256:'.length) ?? ''
  const archive = await tarBytes(dockerArchive([{image: busybox, tags: ['busybox:1.36']}]))
  const inner = await tarBytes(ociLayout([named('gcr.io/anthos-baremetal-release/ais:1.34.0', pause)]))
  const xz = (entries: readonly Entry[]) =>
    tarBytes(entries).then((bytes) => compress(bytes, {type: 'xz', blockSize: 16 * 1024}))
  const packed = await xz(main)
  const k3s = await tarBytes(
    ociLayout([
      named('docker.io/rancher/mirrored-pause:3.6', app, isFirst),
      named('docker.io/rancher/klipper-helm:v0.9.12', busybox),
    ]),
  )
  return {
    'bundle.tar.xz': packed,
    'truncated.tar.xz': packed.subarray(0, packed.length / 2),
    'bmpackages_1.34.0.tar.xz': await xz([
      {path: 'ais.tar', bytes: inner},
      {path: 'busybox.tar', bytes: archive},
    ]),
    // Plain where this machine packs no zstd: what it is called does not matter.
    'k3s-airgap-images-amd64.tar.zst': await compress(k3s, {type: 'zstd', windowLog: 25}).catch(() => k3s),
    'images.tar': archive,
    'incomplete.tar': await tarBytes(lost.filter(({path}) => !path.endsWith(lostLayer))),
    'two-hosts.tar': await tarBytes(
      ociLayout([named('gcr.io/a/b:v1', busybox), named('quay.io/a/b:v1', pause)]),
    ),
    'shop.tar': await tarBytes(
      imgpkgTar([
        {image: busybox, ref: `docker.io/library/busybox@${busybox.root.descriptor.digest}`},
        {image: pause, ref: `registry.example/apps/shop@${pause.root.descriptor.digest}`, tag: '1.0.0'},
      ]),
    ),
    'unnamed.tar': await tarBytes(
      ociLayout([{image: pause, annotations: {'org.opencontainers.image.ref.name': 'v3'}}]),
    ),
  }
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
