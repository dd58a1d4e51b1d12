import {spawn} from 'node:child_process'
import {createWriteStream} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {once} from 'node:events'
import {createInterface} from 'node:readline'
import {pack} from 'tar-stream'
import {digestOf, hexOf, mediaTypes, type Descriptor} from '@airgap-mirror/oci-client/model'
import {mirrorProgram, withTempDir} from '../kit/index.js'
import {startRegistry} from '../registry/index.js'

/**
 * Cost of planning a push, for bundles of a growing number of small images: `--images=N` for the
 * largest. Ten layers an image, eight of them its own.
 */
const most = Number(/^--images=(\d+)$/.exec(process.argv[2] ?? '')?.[1] ?? 10_000)
const OWN_LAYERS = 8
const SHARED_LAYERS = 2

async function writeBundle(path: string, images: number): Promise<void> {
  const tar = pack()
  const file = createWriteStream(path)
  const written = once(file, 'close')
  tar.pipe(file)
  const add = async (name: string, bytes: Uint8Array): Promise<void> => {
    await new Promise<void>((resolve, reject) =>
      tar.entry({name, size: bytes.length}, Buffer.from(bytes), (error) =>
        error ? reject(error) : resolve(),
      ),
    )
  }
  const put = async (text: string, mediaType: string): Promise<Descriptor> => {
    const bytes = Buffer.from(text)
    const digest = digestOf(bytes)
    await add(`blobs/sha256/${hexOf(digest)}`, bytes)
    return {mediaType, digest, size: bytes.length}
  }
  const shared: Descriptor[] = []
  for (let layer = 0; layer < SHARED_LAYERS; layer++)
    shared.push(await put(`shared layer ${layer}`, mediaTypes.ociLayer))
  const manifests: object[] = []
  for (let image = 0; image < images; image++) {
    const layers = [...shared]
    for (let layer = 0; layer < OWN_LAYERS; layer++)
      layers.push(await put(`layer ${layer} of ${image}`, mediaTypes.ociLayer))
    const config = await put(JSON.stringify({image}), mediaTypes.ociConfig)
    const body = JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers})
    const annotations = {'io.containerd.image.name': `docker.io/scale/app${image}:v1`}
    manifests.push({...(await put(body, mediaTypes.ociManifest)), annotations})
  }
  await add('index.json', Buffer.from(JSON.stringify({schemaVersion: 2, manifests})))
  await add('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
  tar.finalize()
  await written
}

/** Starts a push, and ends it once its plan stands. */
async function untilPlanned(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{seconds: number; peakMemory: number; blobs: number}> {
  const started = performance.now()
  const child = spawn(process.execPath, [mirrorProgram(), ...args], {
    env: {...process.env, ...env},
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'close')
  try {
    for await (const line of createInterface({input: child.stderr})) {
      const event = JSON.parse(line) as {type: string; blobs?: number}
      if (event.type !== 'plan') continue
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      const peakMemory = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024
      return {seconds: (performance.now() - started) / 1000, peakMemory, blobs: event.blobs ?? 0}
    }
  } finally {
    child.kill('SIGKILL')
    await ended
  }
  throw new Error('the push ended without a plan')
}

await withTempDir(async (directory) => {
  for (const images of [most / 10, most]) {
    const bundle = join(directory, `${images}.tar`)
    await writeBundle(bundle, images)
    const registry = await startRegistry()
    const flags = ['--private-registry', registry.host, '--plain-http', '--progress', 'json']
    const env = {XDG_STATE_HOME: join(directory, 'state')}
    for (const run of ['first', 'index remembered']) {
      const {seconds, peakMemory, blobs} = await untilPlanned(['push', '--source', bundle, ...flags], env)
      const memory = (peakMemory / 1048576).toFixed(0)
      process.stdout.write(
        `${images} images, ${blobs} blobs, ${run}: planned after ${seconds.toFixed(1)} s, ${memory} MiB at most\n`,
      )
    }
    await registry.close()
  }
})
