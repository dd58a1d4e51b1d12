import {createCipheriv, createHash} from 'node:crypto'
import {mkdir, open, rename, rm, truncate, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {digestFrom, digestOf, hexOf, mediaTypes, type Descriptor} from '@airgap-mirror/oci-client/model'
import {mirrorProgram, startDebianRegistry} from '../kit/index.js'
import {startRegistry} from '../registry/index.js'
import {run} from './measure.js'

/**
 * Peak memory of save, push and verify of one large bundle, for each way of packing it. Half of the layers compress to nothing, half
 * not at all. `--gigabytes=N`, `--endings=tar,tar.zst`; needs three times as much disk below `--dir=DIR`.
 */
const args = new Map(
  process.argv.slice(2).map((text) => text.replace(/^--/, '').split('=') as [string, string]),
)
const total = Number(args.get('gigabytes') ?? 10) * 1e9
const endings = (args.get('endings') ?? 'tar,tar.gz,tar.xz,tar.zst').split(',')
const directory = join(args.get('dir') ?? tmpdir(), 'airgap-mirror-gap-memory')
const LAYERS = 16
const CHUNK_BYTES = 1 << 22

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function at(host: string): readonly string[] {
  return ['--private-registry', host, '--plain-http']
}

async function mirror(label: string, ...flags: readonly string[]): Promise<void> {
  const env = {XDG_STATE_HOME: join(directory, 'state'), TMPDIR: directory}
  const {seconds, cpuSeconds, peakMemory} = await run(
    process.execPath,
    [mirrorProgram(), ...flags, '--quiet'],
    {
      env,
    },
  )
  const figures = `${seconds.toFixed(0)} s, CPU ${cpuSeconds.toFixed(0)} s`
  say(`${label}: ${(peakMemory / 2 ** 20).toFixed(0)} MiB at most (goal 256), ${figures}`)
}

/** Writes a layer of zeros, which takes no disk, or of bytes that do not compress. */
async function writeLayer(blobs: string, index: number): Promise<Descriptor> {
  const size = Math.round(total / LAYERS) - index
  const isZeros = index % 2 === 0
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, index), Buffer.alloc(16))
  const zeros = Buffer.alloc(CHUNK_BYTES)
  const hash = createHash('sha256')
  const path = join(blobs, 'layer')
  const file = await open(path, 'w')
  for (let left = size; left > 0; left -= CHUNK_BYTES) {
    const plain = zeros.subarray(0, Math.min(left, CHUNK_BYTES))
    const bytes = isZeros ? plain : cipher.update(plain)
    hash.update(bytes)
    if (!isZeros) await file.write(bytes)
  }
  await file.close()
  await truncate(path, size)
  const digest = digestFrom(hash)
  await rename(path, join(blobs, hexOf(digest)))
  return {mediaType: mediaTypes.ociLayer, digest, size}
}

/** Writes a layout of one image for each layer. @returns their names */
async function makeLayout(layout: string): Promise<readonly string[]> {
  const blobs = join(layout, 'blobs', 'sha256')
  await mkdir(blobs, {recursive: true})
  const put = async (value: object, mediaType: string): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(value))
    const digest = digestOf(bytes)
    await writeFile(join(blobs, hexOf(digest)), bytes)
    return {mediaType, digest, size: bytes.length}
  }
  const names = Array.from({length: LAYERS}, (_, index) => `bench/large${index}:v1`)
  const manifests: object[] = []
  for (const [index, name] of names.entries()) {
    const layer = await writeLayer(blobs, index)
    const config = await put({index}, mediaTypes.ociConfig)
    const image = {schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer]}
    const annotations = {'io.containerd.image.name': `docker.io/${name}`}
    manifests.push({...(await put(image, mediaTypes.ociManifest)), annotations})
  }
  await writeFile(join(layout, 'index.json'), JSON.stringify({schemaVersion: 2, manifests}))
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  return names
}

await rm(directory, {recursive: true, force: true})
const layout = join(directory, 'layout')
const names = await makeLayout(layout)
await using registry = await startDebianRegistry()
await mirror('push of the directory', 'push', '--source', layout, ...at(registry.host))
await rm(layout, {recursive: true})
const list = join(directory, 'list.txt')
await writeFile(list, names.map((name) => `${registry.host}/${name}\n`).join(''))
for (const ending of endings) {
  const bundle = join(directory, `bundle.${ending}`)
  await mirror(`save .${ending}`, 'save', '--images', list, '--output', bundle, '--source-plain-http')
  const target = await startRegistry({storage: {keepContentUpTo: 1 << 20}})
  await mirror(`push .${ending}`, 'push', '--source', bundle, ...at(target.host))
  const problems = target.fsck()
  if (problems.length > 0) throw new Error(problems.join('\n'))
  await mirror(`verify .${ending} against the registry`, 'verify', '--source', bundle, ...at(target.host))
  await mirror(`verify .${ending} alone`, 'verify', '--source', bundle)
  await target.close()
  await rm(bundle)
}
await rm(directory, {recursive: true})
