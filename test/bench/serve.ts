import {readdirSync, readFileSync, readlinkSync, statSync} from 'node:fs'
import {rm, writeFile} from 'node:fs/promises'
import {Agent as HttpAgent, request as requestPlainly} from 'node:http'
import {Agent as HttpsAgent, request as requestOverTls} from 'node:https'
import {loadavg, tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Descriptor} from '@airgap-mirror/oci-client/model'
import {makeAuthority, mirrorProgram, startDebianRegistry, startMirrorServer} from '../kit/index.js'
import {median, run} from './measure.js'
import {CONTENTS, IMAGES, makeShapes} from './serve-shapes.js'

/**
 * `mirror serve` out of bundles of one content against Debian's docker-registry from its disk: the start, the first pull, 20
 * pulls side by side, memory and scratch.
 *
 *     node test/dist/bench/serve.js [MB] [ROUNDS] [packed|plain|text] [tls]
 */
const MB = 1_000_000
const MiB = 1024 * 1024
const SIZE = Number(process.argv[2] ?? 1000)
const ROUNDS = Number(process.argv[3] ?? 3)
const CONTENT = CONTENTS.find((content) => content === process.argv[4]) ?? 'packed'
const isTls = process.argv[5] === 'tls'
const NODES = 20
/** Debian's registry gives OCI manifests only to a client that asks for them. */
const ACCEPT = 'application/vnd.oci.image.manifest.v1+json'
const directory = join(tmpdir(), `airgap-mirror-serve-${SIZE}-${CONTENT}`)

interface Pulled {
  readonly bytes: number
  readonly seconds: number
}

type Agent = HttpAgent | HttpsAgent

interface Server {
  readonly url: string
  readonly pid: number
}

/** Counts bytes and keeps none: the client is to cost as little as it can. */
function get(
  url: string,
  agent: Agent,
  keep = false,
): Promise<{readonly size: number; readonly text: string}> {
  return new Promise((resolve, reject) => {
    const send = isTls ? requestOverTls : requestPlainly
    send(url, {agent, headers: {accept: ACCEPT}}, (response) => {
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
  // The certificate costs both servers the same; its check is the client's.
  const agent = isTls
    ? new HttpsAgent({keepAlive: true, rejectUnauthorized: false})
    : new HttpAgent({keepAlive: true})
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

function scratchBytes(pid: number, fd: string): number {
  const path = `/proc/${pid}/fd/${fd}`
  try {
    return readlinkSync(path).includes('.scratch') ? statSync(path).blocks * 512 : 0
  } catch {
    // A connection was closed meanwhile.
    return 0
  }
}

interface Used {
  /** Seconds of processor. */
  readonly cpu: number
  /** The most memory so far. */
  readonly peak: number
  /** The room of files without a name that are open. */
  readonly scratch: number
}

function used(pid: number): Used {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  const scratch = readdirSync(`/proc/${pid}/fd`).reduce((sum, fd) => sum + scratchBytes(pid, fd), 0)
  return {cpu: (Number(fields[11]) + Number(fields[12])) / 100, peak: peak * 1024, scratch}
}

const same = Array.from({length: NODES}, () => 'app3')
const spread = Array.from({length: NODES}, (_, index) => `app${index % IMAGES}`)

/** The first round alone, because a server may have to decode for it; then the median of the others. */
async function measure(name: string, server: Server): Promise<void> {
  const first = await pull(server.url, 'app7')
  say(`${name}: first pull of ${(first.bytes / MB).toFixed(0)} MB in ${first.seconds.toFixed(2)} s`)
  for (const [what, images] of [
    ['of one image', same],
    [`of ${IMAGES} images`, spread],
  ] as const) {
    const rates: number[] = []
    const costs: number[] = []
    for (let round = 0; round <= ROUNDS; round += 1) {
      const before = used(server.pid).cpu
      const {bytes, seconds} = await sideBySide(server.url, images)
      rates.push(bytes / MB / seconds)
      costs.push(((used(server.pid).cpu - before) * 1000 * MB) / bytes)
    }
    const at = (rate = 0, cost = 0): string =>
      `${rate.toFixed(0)} MB/s at ${cost.toFixed(2)} ms of processor a MB`
    const later = at(median(rates.slice(1)), median(costs.slice(1)))
    say(`${name}: ${NODES} pulls ${what}: first ${at(rates[0], costs[0])}, later ${later}`)
  }
  const {peak, scratch} = used(server.pid)
  say(`${name}: ${(peak / MiB).toFixed(0)} MiB of memory at most, ${(scratch / MB).toFixed(0)} MB of scratch`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

const shapes = await makeShapes({directory, content: CONTENT, bytes: SIZE * MB})
const authority = await makeAuthority()
const pair = await authority.issue({hosts: ['127.0.0.1']})
const files = {
  cert: join(directory, 'cert.pem'),
  key: join(directory, 'key.pem'),
  ca: join(directory, 'ca.pem'),
}
await writeFile(files.cert, pair.cert)
await writeFile(files.key, pair.key)
await writeFile(files.ca, authority.ca)
say(`${CONTENT} layers, ${isTls ? 'TLS' : 'plain HTTP'}, load ${loadavg()[0]?.toFixed(1)}`)
const registry = await startDebianRegistry({
  storage: join(directory, 'registry'),
  tls: isTls ? pair : undefined,
})
const push = ['push', '--source', shapes[0]?.path ?? '', '--private-registry', registry.host, '--quiet']
await run(process.execPath, [
  mirrorProgram(),
  ...push,
  ...(isTls ? ['--cacert', files.ca] : ['--plain-http']),
])
await measure('docker-registry', registry)
await registry.kill()
for (const {name, path} of shapes) {
  const state = join(directory, 'state')
  await rm(state, {recursive: true, force: true})
  for (const when of ['cold', 'index remembered']) {
    const started = performance.now()
    const tls = isTls ? ['--tls-cert', files.cert, '--tls-key', files.key] : []
    const server = await startMirrorServer([
      '--source',
      path,
      '--state',
      state,
      '--scratch',
      directory,
      ...tls,
    ])
    const {url, child} = server
    say(`${name}, ${when}: listens after ${((performance.now() - started) / 1000).toFixed(2)} s`)
    if (when === 'cold') {
      const {seconds} = await pull(url, 'app7')
      say(`${name}, ${when}: first pull in ${seconds.toFixed(2)} s`)
    } else await measure(name, {url, pid: child.pid})
    await server[Symbol.asyncDispose]()
  }
}
say(`load ${loadavg()[0]?.toFixed(1)}`)
