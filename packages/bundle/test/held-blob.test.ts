import {randomBytes} from 'node:crypto'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {mediaTypes, readAll} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import {openBundle, type OpenBundleOptions} from '#src/index.js'
import {literalTar} from './fixtures/literal-tar.js'
import {testDirectory} from './fixtures/opened.js'
import {filter} from './fixtures/packed.js'
import {blobEntry, config, descriptor, indexJson, OCI_LAYOUT, ociManifest, part} from './fixtures/parts.js'

const layers = [part(randomBytes(300_000)), part(randomBytes(300_000)), part(randomBytes(300_000))]
const own = config(...layers)
const manifest = ociManifest({config: own, layers})
const layout = literalTar([
  ...[...layers, own, manifest].map(blobEntry),
  indexJson([descriptor(mediaTypes.ociManifest, manifest)]),
  OCI_LAYOUT,
])

/** Reads as a resumed upload does: announced like every transfer, then read from the middle. */
async function readHeld(path: string, options: OpenBundleOptions): Promise<readonly Buffer[]> {
  await using source = await openBundle(path, options)
  const transfers = layers.map(async (layer, index) => {
    const content = descriptor(mediaTypes.ociLayerGzip, layer)
    const blob = source.blob(content)
    const release = blob.hold()
    try {
      await setTimeout(10 * index)
      return Buffer.from(await readAll(blob.open({offset: 200_000}), {limit: 200_000, what: 'a layer'}))
    } finally {
      release()
    }
  })
  return await Promise.all(transfers)
}

describe('a blob that is held and then read from the middle', () => {
  test.each([
    ['zstd', ['-c', '-q']],
    ['gzip', ['-c']],
    ['xz', ['-c', '-T1', '--block-size=65536']],
  ] as const)('keeps no reader waiting (%s)', async (tool, args) => {
    await using directory = await testDirectory()
    const path = join(directory.path, 'bundle')
    await writeFile(path, await filter(tool, args, layout))
    await setTimeout(80)
    const kept = new Map<string, Uint8Array>()
    const indexCache = {
      load: async (key: string) => kept.get(key),
      save: async (key: string, bytes: Uint8Array) => void kept.set(key, bytes),
    }
    for (const scratch of [{directory: directory.path}, 'never'] as const) {
      for (let times = 0; times < 2; times += 1) {
        const read = await readHeld(path, {indexCache, scratch})
        expect(
          read.map((bytes, index) => bytes.equals(layers[index]?.bytes.subarray(200_000) ?? bytes)),
        ).toEqual([true, true, true])
      }
    }
  })
})
