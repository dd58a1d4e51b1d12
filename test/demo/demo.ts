import {spawn} from 'node:child_process'
import {mkdir, stat, writeFile} from 'node:fs/promises'
import {dirname, join, relative, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {
  cleanEnvironment,
  compress,
  makeAuthority,
  mirrorProgram,
  ociLayout,
  tarBytes,
  withTempDir,
  type NamedImage,
} from '../kit/index.js'
import {startRegistry} from '../registry/index.js'
import {imageOf, layerOf} from './real-image.js'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const password = 'correct horse'

function say(text: string): void {
  return void process.stdout.write(`${text}\n`)
}

/** Runs the built program on this very terminal, and says what it ran. */
async function mirror(
  args: readonly string[],
  options: {readonly cwd: string; readonly stdin: string},
): Promise<void> {
  say(`\n$ mirror ${args.join(' ')}`)
  const env = {...cleanEnvironment(options.cwd), TERM: process.env['TERM'] ?? 'dumb'}
  const child = spawn(process.execPath, [mirrorProgram(), ...args], {
    cwd: options.cwd,
    env,
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  child.stdin.end(options.stdin)
  const code = await new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done))
  if (code !== 0) throw new Error(`mirror ended with exit code ${code}`)
}

/** Three images of this checkout's real files: two share a layer, one is for two platforms. */
async function makeBundle(): Promise<Uint8Array> {
  const [base, client, bundle] = await Promise.all([
    layerOf(root, 'node_modules/prettier'),
    layerOf(root, 'packages/oci-client/dist'),
    layerOf(root, 'packages/bundle/dist'),
  ])
  const named = async (
    name: string,
    image: NamedImage['image'] | Promise<NamedImage['image']>,
  ): Promise<NamedImage> => ({
    image: await image,
    annotations: {'io.containerd.image.name': name},
  })
  const images = await Promise.all([
    named('gcr.io/demo/base:v1', imageOf('base', [base])),
    named('gcr.io/demo/client:v1', imageOf('client', [base, client])),
    named('docker.io/demo/bundle:v1', imageOf('bundle', [bundle], ['linux/amd64', 'linux/arm64'])),
  ])
  return compress(await tarBytes(ociLayout(images)), {type: 'xz', blockSize: 1024 * 1024})
}

await withTempDir(async (directory) => {
  await mkdir(join(directory, '.run'))
  const authority = await makeAuthority()
  const tls = await authority.issue({hosts: ['localhost', '127.0.0.1']})
  await writeFile(join(directory, 'ca.pem'), authority.ca)
  await writeFile(join(directory, 'bundle.tar.xz'), await makeBundle())
  const {size} = await stat(join(directory, 'bundle.tar.xz'))
  say(
    `A bundle of three images, made of files of this checkout: bundle.tar.xz, ${(size / 1e6).toFixed(1)} MB`,
  )

  await using registry = await startRegistry({tls, auth: {type: 'basic', users: [{name: 'demo', password}]}})
  say(`A registry of its own, with TLS and a password: ${registry.host}`)

  const flags = `--source bundle.tar.xz --private-registry ${registry.host}/mirror --cacert ca.pem --username demo --password-stdin`
  const push = ['push', ...flags.split(' ')]
  await mirror(push, {cwd: directory, stdin: password})
  const sent = registry.bytesReceived
  say('\nThe same again: nothing is sent.')
  await mirror(push, {cwd: directory, stdin: password})
  if (registry.bytesReceived !== sent) throw new Error('the second push sent something')

  say('\nWhat the registry holds now:')
  for (const repository of registry.repositories()) {
    for (const tag of registry.tags(repository)) {
      say(`  ${registry.host}/${repository}:${tag}  ${registry.manifest(repository, tag)?.digest}`)
    }
  }
  const problems = registry.fsck()
  if (problems.length > 0) throw new Error(problems.join('\n'))
  say(
    `Every tag resolves, and everything below it is there. The program itself: node ${relative(process.cwd(), mirrorProgram())}`,
  )
})
