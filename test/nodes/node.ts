import {existsSync} from 'node:fs'
import {cp, mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  makeAuthority,
  makeImage,
  makeTempDir,
  ociLayout,
  runChild,
  runMirror,
  startDebianRegistry,
  writeDirectory,
} from '@airgap-mirror/test/kit'
import {runPulls} from './pulls.js'
import {startPublicRegistries} from './public-registries.js'
import type {Outcome, Scenario} from './scenario.js'

/** The names that lead to the servers of the test: the registries of the internet, and the private one. */
const PUBLIC = [
  'gcr.io',
  'quay.io',
  'docker.io',
  'registry-1.docker.io',
  'index.docker.io',
  'auth.docker.io',
  'ghcr.io',
]
const PRIVATE = 'mirror.example'
/** Pushed, but not in the list that the configuration is written for. */
const UNLISTED = 'gcr.io/team/unlisted:v1'
const IMAGES = ['gcr.io/team/app:v1', 'docker.io/library/busybox:1.36', 'quay.io/team/tool:v2']
const PASSWORD = 'correct: horse'

/** Plays a scenario on this machine's network and mounts: they have to be the test's own. */
async function play(scenario: Scenario): Promise<Outcome> {
  await using directory = await makeTempDir()
  const at = (name: string): string => join(directory.path, name)
  await command('ip', ['link', 'set', 'lo', 'up'])
  await writeFile(at('hosts'), `127.0.0.1 localhost ${PRIVATE} ${PUBLIC.join(' ')}\n`)
  await command('mount', ['--bind', at('hosts'), '/etc/hosts'])
  // Mounted over, because podman and skopeo keep root files there that the test must not change.
  for (const place of ['/run', '/var/lib/containers', '/dev/shm']) {
    if (existsSync(place)) await command('mount', ['-t', 'tmpfs', 'tmpfs', place])
  }

  const [authority, world] = [await makeAuthority(), await makeAuthority()]
  await writeFile(at('ca.pem'), authority.ca)
  await writeFile(at('world.pem'), world.ca)
  const internet = await startPublicRegistries(await world.issue({hosts: PUBLIC}))
  const registry = await startDebianRegistry({
    port: 5000,
    tls: await authority.issue({hosts: [PRIVATE, '127.0.0.1']}),
    htpasswd: {puller: PASSWORD},
  })
  try {
    await push(scenario, at)
    await emit(scenario, at)
    await layOnNode(at)
    const pulled = await runPulls(scenario.pulls, {directory: directory.path, roots: at('world.pem')})
    return {pulled, asked: internet.asked}
  } finally {
    await internet.close()
    await registry.stop()
  }
}

const ACCESS = [
  '--private-registry',
  `${PRIVATE}:5000/team/mirror`,
  '--cacert',
  'ca.pem',
  '--username',
  'puller',
  '--password-stdin',
]

async function push({missing, flags}: Scenario, at: (name: string) => string): Promise<void> {
  const images = await Promise.all(
    [...IMAGES, UNLISTED]
      .filter((name) => name !== missing)
      .map(async (name) => ({
        image: await makeImage({seed: name}),
        annotations: {'io.containerd.image.name': name},
      })),
  )
  await writeDirectory(at('bundle'), ociLayout(images))
  const rewrite = flags.indexOf('--rewrite')
  const naming = rewrite < 0 ? [] : flags.slice(rewrite, rewrite + 2)
  await mirror(['push', '--source', 'bundle', ...ACCESS, ...naming], at(''))
}

async function emit(
  {target, flags, version, isListless}: Scenario,
  at: (name: string) => string,
): Promise<void> {
  await writeFile(at('images.txt'), IMAGES.map((name) => `${name}\n`).join(''))
  const what = ['--for', version === undefined ? target : `${target}@${version}`, '--output', 'node']
  const images = isListless === true ? [] : ['--images', 'images.txt']
  await mirror(['config', 'emit', ...what, ...images, '--inline-credentials', ...ACCESS, ...flags], at(''))
}

async function mirror(args: readonly string[], cwd: string): Promise<void> {
  const {code, stderr} = await runMirror(args, {cwd, stdin: PASSWORD})
  if (code !== 0) throw new Error(`mirror ${args.join(' ')} ended with ${code}: ${stderr}`)
}

/** Copies the emitted files over those that Debian has, and puts both where the runtimes look. */
async function layOnNode(at: (name: string) => string): Promise<void> {
  for (const name of ['containers', 'containerd']) {
    // Networks of podman are root's alone, and no part of this.
    const filter = (path: string): boolean => !path.endsWith('/networks')
    await cp(`/etc/${name}`, at(`etc/${name}`), {recursive: true, filter})
    await mkdir(at(`node/etc/${name}`), {recursive: true})
    await cp(at(`node/etc/${name}`), at(`etc/${name}`), {recursive: true})
    await command('mount', ['--bind', at(`etc/${name}`), `/etc/${name}`])
  }
  // A snapshotter that needs nothing of the file system that tests run on.
  const config = await readFile(at('etc/containerd/config.toml'), 'utf8')
  const snapshotter = '[plugins."io.containerd.grpc.v1.cri".containerd]\n  snapshotter = "native"\n'
  await writeFile(at('etc/containerd/config.toml'), `${config}\n${snapshotter}`)
}

async function command(program: string, args: readonly string[]): Promise<void> {
  const {code, stderr} = await runChild(program, args, {env: {PATH: process.env['PATH']}})
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr}`)
}

process.stdout.write(JSON.stringify(await play(JSON.parse(process.argv[2] ?? '') as Scenario)))
