import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {openBundle} from '@airgap-mirror/bundle'
import {compress, makeImage, ociLayout, tarBytes, withTempDir} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {wakeBundle} from '#src/commands/serve/content/wake-bundle.js'
import {gather} from '#src/engine/gather.js'

test('a bundle of one block whose index is remembered is unpacked when it is served, not at the first pull', () =>
  withTempDir(async (directory) => {
    const image = await makeImage({seed: 'woken', layers: 1, layerSize: 300_000})
    const path = join(directory, 'bundle.tar.gz')
    await writeFile(path, await compress(await tarBytes(ociLayout([{image}])), {type: 'gzip'}))
    // The index of a file that changed just now is not remembered.
    await sleep(100)
    const kept = new Map<string, Uint8Array>()
    const indexCache = {
      load: async (key: string) => kept.get(key),
      save: async (key: string, bytes: Uint8Array) => void kept.set(key, bytes),
    }
    const open = () => openBundle(path, {indexCache, scratch: {directory}})
    await (await open())[Symbol.asyncDispose]()
    expect(kept.size).toBe(1)
    await using source = await open()
    const gathered = await gather(source)
    expect(source.usage.decoded).toBe(0)
    await wakeBundle(gathered, {source})
    expect(source.usage.decoded).toBeGreaterThan(0)
  }))

test('a bundle of blocks is left alone until a pull', () =>
  withTempDir(async (directory) => {
    const image = await makeImage({seed: 'blocks', layers: 1, layerSize: 300_000})
    const path = join(directory, 'bundle.tar.xz')
    await writeFile(
      path,
      await compress(await tarBytes(ociLayout([{image}])), {type: 'xz', blockSize: 50_000}),
    )
    await using source = await openBundle(path, {scratch: {directory}, readOften: true})
    const gathered = await gather(source)
    const {decoded} = source.usage
    await wakeBundle(gathered, {source})
    expect(source.usage.decoded).toBe(decoded)
  }))
