import {randomFillSync} from 'node:crypto'
import {existsSync, readFileSync} from 'node:fs'
import {mkdir, rename, rm, writeFile} from 'node:fs/promises'
import {Agent, request} from 'node:http'
import {loadavg, tmpdir} from 'node:os'
import {join} from 'node:path'
import {digestOf, hexOf, mediaTypes, type Descriptor} from '@airgap-mirror/oci-client/model'
import {mirrorProgram, startDebianRegistry, startMirrorServer} from '../kit/index.js'
import {median, run} from './measure.js'

/**
 * `mirror serve` out of a 1 GB `.tar.xz` against Debian's docker-registry from its disk: the start, the first pull, and 20
 * pulls side by side. Layers are random, as gzipped layers are to xz.
 */
const MB = 1_000_000
const IMAGES = 16
/** Megabytes of the bundle. */
const SIZE = Number(process.argv[2] ?? 1000)
const LAYER = Math.round((SIZE * MB) / IMAGES / 2)
const NODES = 20
/** Debian's registry gives OCI manifests only to a client that asks for them. */
const ACCEPT = 'application/vnd.oci.image.manifest.v1+json'
const ROUNDS = Number(process.argv[3] ?? 3)
/** `text`: layers that xz has to decode. */
const isText = process.argv[4] === 'text'
const directory = join(tmpdir(), `airgap-mirror-serve-${SIZE}${isText ? '-text' : ''}`)

interface Shape {
  readonly name: string
  readonly path: string
}

interface Pulled {
  readonly bytes: number
  readonly seconds: number
}

async function makeShapes(): Promise<readonly Shape[]> {
  const layout = join(directory, 'layout')
  const tar = join(directory, 'layout.tar')
  const blocks = join(directory, 'blocks.tar.xz')
  const single = join(directory, 'single.tar.xz')
  await mkdir(join(layout, 'blobs/sha256'), {recursive: true})
  if (!existsSync(tar)) {
    await writeLayout(layout)
    await run('tar', ['--sort=name', '-C', layout, '-cf', `${tar}.part`, '.'])
    await rename(`${tar}.part`, tar)
  }
  for (const [path, ...options] of [
    [blocks, '-T2', '--block-size=24MiB'],
    [single, '-T1'],
  ] as const) {
    if (existsSync(path)) continue
    await run('sh', ['-c', `xz -0 ${options.join(' ')} -c "$0" > "$1.part" && mv "$1.part" "$1"`, tar, path])
  }
  return [
    {name: '.tar', path: tar},
    {name: '.tar.xz of 24 MiB blocks', path: blocks},
    {name: '.tar.xz of one block', path: single},
  ]
}

async function writeLayout(layout: string): Promise<void> {
  const manifests: Descriptor[] = []
  const put = async (bytes: Uint8Array, mediaType: string): Promise<Descriptor> => {
    const digest = digestOf(bytes)
    await writeFile(join(layout, 'blobs/sha256', hexOf(digest)), bytes)
    return {mediaType, digest, size: bytes.length}
  }
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
  const noise = Buffer.alloc(LAYER)
  for (let index = 0; index < IMAGES; index += 1) {
    const layers: Descriptor[] = []
    for (let layer = 0; layer < 2; layer += 1) layers.push(await put(fill(noise), mediaTypes.ociLayerGzip))
    const config = await put(json({index, architecture: 'amd64', os: 'linux'}), mediaTypes.ociConfig)
    const manifest = json({schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers})
    const annotations = {'io.containerd.image.name': `docker.io/bench/app${index}:v1`}
    manifests.push({...(await put(manifest, mediaTypes.ociManifest)), annotations})
  }
  await writeFile(join(layout, 'index.json'), json({schemaVersion: 2, manifests}))
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

/** Random bytes; as text, xz halves them. */
function fill(noise: Buffer): Buffer {
  randomFillSync(noise)
  return isText ? Buffer.from(noise.toString('hex')) : noise
}

/** Counts bytes and keeps none: the client is to cost as little as it can. */
function get(
  url: string,
  agent: Agent,
  keep = false,
): Promise<{readonly size: number; readonly text: string}> {
  return new Promise((resolve, reject) => {
    request(url, {agent, headers: {accept: ACCEPT}}, (response) => {
      let size = 0
      let text = ''
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (keep) text += chunk.toString('utf8')
      })
      response.once('end', () => {
        if (response.statusCode === 200) resolve({size, text})
        else reject(new Error(`${url}: ${response.statusCode}`))
      })
      response.once('error', reject)
    })
      .once('error', reject)
      .end()
  })
}

/** A pull as a node does it: the manifest, then the config and all layers at once. */
async function pull(origin: string, image: string): Promise<Pulled> {
  const agent = new Agent({keepAlive: true})
  const started = performance.now()
  const {text} = await get(`${origin}/v2/bench/${image}/manifests/v1`, agent, true)
  const {config, layers} = JSON.parse(text) as {readonly config: Descriptor; readonly layers: Descriptor[]}
  const sizes = await Promise.all(
    [config, ...layers].map(({digest}) => get(`${origin}/v2/bench/${image}/blobs/${digest}`, agent)),
  )
  agent.destroy()
  return {
    bytes: sizes.reduce((sum, {size}) => sum + size, 0),
    seconds: (performance.now() - started) / 1000,
  }
}

async function sideBySide(origin: string, images: readonly string[]): Promise<Pulled> {
  const started = performance.now()
  const pulls = await Promise.all(images.map((image) => pull(origin, image)))
  return {
    bytes: pulls.reduce((sum, {bytes}) => sum + bytes, 0),
    seconds: (performance.now() - started) / 1000,
  }
}

/** Seconds of processor that a process has used, and its peak memory. */
function used(pid: number): {readonly cpu: number; readonly peak: number} {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return {cpu: (Number(fields[11]) + Number(fields[12])) / 100, peak: peak * 1024}
}

const same = Array.from({length: NODES}, () => 'app3')
const spread = Array.from({length: NODES}, (_, index) => `app${index % IMAGES}`)

async function measure(name: string, server: {readonly url: string; readonly pid: number}): Promise<void> {
  const first = await pull(server.url, 'app7')
  say(`${name}: first pull of ${megabytes(first.bytes)} in ${first.seconds.toFixed(2)} s`)
  for (const [what, images] of [
    ['of one image', same],
    ['of 16 images', spread],
  ] as const) {
    const rounds = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = used(server.pid).cpu
      const {bytes, seconds} = await sideBySide(server.url, images)
      rounds.push({rate: bytes / MB / seconds, cost: ((used(server.pid).cpu - before) * 1000 * MB) / bytes})
    }
    const rate = median(rounds.map((round) => round.rate)).toFixed(0)
    const cost = median(rounds.map((round) => round.cost)).toFixed(2)
    say(`${name}: ${NODES} pulls ${what}: ${rate} MB/s, ${cost} ms of processor a MB`)
  }
  say(`${name}: ${(used(server.pid).peak / 1048576).toFixed(0)} MiB at most`)
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(0)} MB`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

const shapes = await makeShapes()
say(`load ${loadavg()[0]?.toFixed(1)}`)
const registry = await startDebianRegistry({storage: join(directory, 'registry')})
const [plain] = shapes
const push = [
  'push',
  '--source',
  plain?.path ?? '',
  '--private-registry',
  registry.host,
  '--plain-http',
  '--quiet',
]
await run(process.execPath, [mirrorProgram(), ...push])
await measure('docker-registry', registry)
await registry.kill()
for (const {name, path} of shapes) {
  const state = join(directory, 'state')
  await rm(state, {recursive: true, force: true})
  for (const when of ['cold', 'index remembered']) {
    const started = performance.now()
    const server = await startMirrorServer(['--source', path, '--state', state])
    say(`${name}, ${when}: listens after ${((performance.now() - started) / 1000).toFixed(2)} s`)
    if (when === 'cold')
      await pull(server.url, 'app7').then(({seconds}) =>
        say(`${name}, ${when}: first pull in ${seconds.toFixed(2)} s`),
      )
    else await measure(name, {url: server.url, pid: server.child.pid})
    await server[Symbol.asyncDispose]()
  }
}
say(`load ${loadavg()[0]?.toFixed(1)}`)
