import {setTimeout as pause} from 'node:timers/promises'
import * as fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {RegistrySource} from '#src/index.js'
import {digestOf, type BlobSource} from '#src/model/index.js'
import type {FaultRule, TestRegistry} from '../../../test/registry/index.js'
import {KiB, MiB, noise} from './registry-kit.js'
import {collect, rootOf, useSources, type OpenOptions} from './source-kit.js'
import {addLayer, layerIn, layerOf, serveLayer} from './source-layer.js'

const {serve, open, sink} = useSources()

const blobGet = {kind: 'blob-get' as const}

async function served(
  bytes: Buffer,
  faults: readonly FaultRule[] = [],
  options: OpenOptions & {readonly redirect?: boolean} = {},
): Promise<{readonly registry: TestRegistry; readonly source: RegistrySource; readonly blob: BlobSource}> {
  const registry = await serve({faults, redirectBlobs: options.redirect ?? false})
  await addLayer(registry, bytes)
  const source = open([`${registry.host}/a:v1`], options)
  return {registry, source, blob: await layerIn(source)}
}

describe('a blob', () => {
  const bytes = noise(3 * MiB, 'download')

  it('comes in one request, verified', async () => {
    const {registry, source, blob} = await served(bytes)
    registry.clearLog()
    expect((await collect(blob.open())).equals(bytes)).toBe(true)
    expect(registry.requests.map(({kind}) => kind)).toEqual(['blob-get'])
    expect(source.usage.downloaded).toBe(bytes.length)
  })

  it.each([1, 1000, 3 * MiB - 1])('is read from %i on by a Range', async (offset) => {
    const {source, blob} = await served(bytes)
    expect((await collect(blob.open({offset}))).equals(bytes.subarray(offset))).toBe(true)
    expect(source.usage.downloaded).toBe(bytes.length - offset)
  })

  it('of no bytes needs no request, nor does the rest of one that is there', async () => {
    const {registry, blob} = await served(Buffer.alloc(0))
    registry.clearLog()
    expect(await collect(blob.open())).toEqual(Buffer.alloc(0))
    const full = await served(bytes)
    full.registry.clearLog()
    expect(await collect(full.blob.open({offset: bytes.length}))).toEqual(Buffer.alloc(0))
    expect([...registry.requests, ...full.registry.requests]).toEqual([])
  })

  it('is followed to a store without the credential, and continued there', async () => {
    const registry = await serve({
      redirectBlobs: true,
      auth: {type: 'basic', users: [{name: 'u', password: 'p'}]},
      faults: [{match: {kind: 'blob-get'}, nth: 2, fault: {type: 'reset-in-body', after: MiB}}],
    })
    await addLayer(registry, bytes)
    const credentials = async () => ({kind: 'basic' as const, username: 'u', password: 'p'})
    const blob = await layerIn(open([`${registry.host}/a:v1`], {connect: {credentials}}))
    expect((await collect(blob.open())).equals(bytes)).toBe(true)
    const elsewhere = registry.requests.filter(({origin}) => origin === 'other')
    expect(elsewhere.map(({authorization}) => authorization)).toEqual([undefined, undefined])
    expect(elsewhere.map(({headers}) => headers.range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=\d+-$/),
    ])
  })

  it('is not read ahead of whoever takes it, and its connection is closed when nobody goes on', async () => {
    const large = noise(100 * KiB, 'large')
    let written = 0
    let closed = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          written += large.length
          yield large
        }
      } finally {
        closed = true
      }
    }
    await using lasting = await serveLayer({...layerOf(large), size: 1000 * MiB}, () => ({body: endless()}))
    const reading = lasting.blob.open()[Symbol.asyncIterator]()
    await reading.next()
    for (let before = -1; before < written; await pause(100)) before = written
    // Allows for the system's buffers on both ends of a loopback connection.
    expect(written).toBeLessThan(16 * MiB)
    await reading.return?.()
    await expect.poll(() => closed).toBe(true)
  })

  it('ends at once when it is cancelled in the middle', async () => {
    const {blob} = await served(bytes, [{match: blobGet, fault: {type: 'stall', at: 'response'}}])
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    await expect(collect(blob.open({signal: stop.signal}))).rejects.toMatchObject({code: 'CANCELLED'})
  })

  it('that the registry lost is missing, and comes from another repository that has it', async () => {
    const {registry, blob} = await served(bytes)
    registry.loseBlob('a', layerOf(bytes).digest)
    await expect(collect(blob.open())).rejects.toMatchObject({code: 'BLOB_MISSING', side: 'source'})
    const whole = await serve()
    for (const each of [registry, whole]) await addLayer(each, bytes)
    registry.loseBlob('a', layerOf(bytes).digest)
    const source = open([`${registry.host}/a:v1`, `${whole.host}/a:v1`])
    for (const image of await source.images()) await source.manifest(rootOf(image))
    expect((await collect(source.blob(layerOf(bytes)).open())).equals(bytes)).toBe(true)
  })
})

describe('a download that breaks', () => {
  const bytes = noise(2 * MiB + 17, 'broken')

  it('goes on where it was, whatever breaks and wherever', async () => {
    const fault = fc.oneof(
      fc.record({
        type: fc.constant('reset-in-body' as const),
        after: fc.integer({min: 0, max: bytes.length}),
      }),
      fc.record({type: fc.constant('reset-before' as const)}),
      fc.record({type: fc.constant('reset-after' as const)}),
      fc.record({
        type: fc.constant('status' as const),
        status: fc.constantFrom(429, 500, 502, 503, 504),
        body: fc.constantFrom('', '<html>busy</html>'),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fault, {maxLength: 4}), fc.boolean(), async (faults, redirect) => {
        const rules = faults.map((each, index) => ({match: blobGet, nth: index + 1, fault: each}))
        const {registry, source, blob} = await served(bytes, rules, {redirect, connect: {retryMaxWait: 200}})
        try {
          expect((await collect(blob.open())).equals(bytes)).toBe(true)
          expect(source.usage.downloaded).toBe(bytes.length)
          const most = (redirect ? 2 : 1) * (faults.length + 1)
          expect(registry.requests.filter(({kind}) => kind === 'blob-get').length).toBeLessThanOrEqual(most)
        } finally {
          await Promise.all([source[Symbol.asyncDispose](), registry.close()])
        }
      }),
      {numRuns: 25, seed: 20261121},
    )
  })

  it('goes on as often as it takes, as long as each attempt brings something', async () => {
    const large = noise(10 * MiB, 'often')
    const starts: number[] = []
    await using broken = await serveLayer(layerOf(large), ({headers}) => {
      const start = Number(/\d+/.exec(headers.range ?? '0')?.[0])
      starts.push(start)
      const range = {'content-range': `bytes ${start}-${large.length - 1}/${large.length}`}
      const part = start === 0 ? {} : {status: 206, headers: range}
      return {...part, body: large.subarray(start), cutAt: MiB}
    })
    expect((await collect(broken.blob.open())).equals(large)).toBe(true)
    // Twice as many breaks as there are retries, and nothing is asked for twice.
    expect(starts).toEqual(Array.from({length: 10}, (_, index) => index * MiB))
  })

  it('is given up where attempts bring next to nothing', async () => {
    const fault = {type: 'reset-in-body' as const, after: 1000}
    const {blob, registry} = await served(bytes, [{match: blobGet, times: Infinity, fault}])
    await expect(collect(blob.open())).rejects.toMatchObject({code: 'UNREACHABLE', side: 'source'})
    expect(registry.requests.filter(({kind}) => kind === 'blob-get')).toHaveLength(6)
  })

  it('goes on from another place that has the image, too', async () => {
    const [first, second] = [await serve(), await serve()]
    for (const registry of [first, second]) await addLayer(registry, bytes)
    const source = open([`${first.host}/a:v1`, `${second.host}/a:v1`], {connect: {retries: 0}})
    for (const image of await source.images()) await source.manifest(rootOf(image))
    first.setFaults([{match: blobGet, fault: {type: 'reset-in-body', after: MiB}}])
    const blob = source.blob(layerOf(bytes))
    expect((await collect(blob.open())).equals(bytes)).toBe(true)
    const rest = second.requests.filter(({kind}) => kind === 'blob-get')
    expect(rest.map(({headers}) => headers.range)).toEqual([expect.stringMatching(/^bytes=\d+-$/)])
  })

  it('arrives whole at a registry that takes it as it comes', async () => {
    const fault = {type: 'reset-in-body' as const, after: 900 * KiB}
    const {blob, source} = await served(bytes, [{match: blobGet, times: 2, fault}])
    const target = await serve()
    const outcome = await sink(target.host).putBlob('b', blob)
    expect(outcome).toMatchObject({how: 'uploaded', sent: bytes.length, attempts: 1})
    expect(Buffer.from((await target.blob('b', digestOf(bytes))) ?? []).equals(bytes)).toBe(true)
    expect(source.usage.downloaded).toBe(bytes.length)
  })
})
