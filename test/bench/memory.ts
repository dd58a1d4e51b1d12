import {createHash} from 'node:crypto'
import {mkdir, open, rm, truncate, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {digestOf, hexOf, mediaTypes, type Descriptor, type Digest} from '@airgap-mirror/oci-client/model'
import {mirrorProgram} from '../kit/index.js'
import {startRegistry} from '../registry/index.js'
import {run} from './measure.js'

/** Peak memory over bundles of growing size: sparse layers, which cost no disk, in plain OCI layouts. */
const GB = 1e9
const directory = join(tmpdir(), 'airgap-mirror-memory')

/** The digest of so many zero bytes. */
function digestOfZeros(size: number): Digest {
  const hash = createHash('sha256')
  const chunk = Buffer.alloc(1 << 24)
  for (let left = size; left > 0; left -= chunk.length)
    hash.update(chunk.subarray(0, Math.min(left, chunk.length)))
  return `sha256:${hash.digest('hex')}`
}

function describe(bytes: Uint8Array, mediaType: string): Descriptor {
  return {
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  }
}

async function makeLayout(path: string, sizes: readonly number[]): Promise<void> {
  const blobs = join(path, 'blobs', 'sha256')
  await mkdir(blobs, {recursive: true})
  const put = async (bytes: Uint8Array, mediaType: string): Promise<Descriptor> => {
    const descriptor = describe(bytes, mediaType)
    await writeFile(join(blobs, hexOf(descriptor.digest)), bytes)
    return descriptor
  }
  const manifests: Descriptor[] = []
  for (const [index, size] of sizes.entries()) {
    const digest = digestOfZeros(size)
    await (await open(join(blobs, hexOf(digest)), 'w')).close()
    await truncate(join(blobs, hexOf(digest)), size)
    const config = await put(Buffer.from(JSON.stringify({index})), mediaTypes.ociConfig)
    const layers = [{mediaType: mediaTypes.ociLayer, digest, size}]
    const manifest = Buffer.from(
      JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers}),
    )
    const annotations = {'io.containerd.image.name': `docker.io/bench/zeros${index}:v1`}
    manifests.push({...(await put(manifest, mediaTypes.ociManifest)), annotations})
  }
  await writeFile(join(path, 'index.json'), JSON.stringify({schemaVersion: 2, manifests}))
  await writeFile(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

for (const [total, count] of [
  [2 * GB, 4],
  [20 * GB, 16],
] as const) {
  await rm(directory, {recursive: true, force: true})
  const layout = join(directory, 'layout')
  await makeLayout(
    layout,
    Array.from({length: count}, (_, index) => total / count - index),
  )
  const registry = await startRegistry({storage: {keepContentUpTo: 1 << 20}})
  const flags = ['push', '--source', layout, '--private-registry', registry.host, '--plain-http', '--quiet']
  const {seconds, peakMemory} = await run(process.execPath, [mirrorProgram(), ...flags])
  const problems = registry.fsck()
  await registry.close()
  if (problems.length > 0) throw new Error(problems.join('\n'))
  process.stdout.write(
    `${total / GB} GB: ${(peakMemory / 1048576).toFixed(0)} MiB at most, ${seconds.toFixed(1)} s\n`,
  )
}
await rm(directory, {recursive: true, force: true})
