import * as fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {shareBlob} from '#src/source/share-blob.js'
import {digestOf, MirrorError} from '#src/model/index.js'
import {SHARED_BUFFER} from '#src/source/shared-reading.js'
import {addImage, makeImage} from '../../../test/kit/index.js'
import {blobOf, KiB, MiB, noise} from './registry-kit.js'
import {collect, rootOf, useSources} from './source-kit.js'

const {serve, open, sink} = useSources()

function tick(milliseconds = 0): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

describe('a shared blob', () => {
  it('does not wait for good for one who may be waiting for those who read', async () => {
    const bytes = noise(2 * SHARED_BUFFER, 'tardy')
    const opened: number[] = []
    const source = blobOf(bytes, {piece: 64 * KiB, onOpen: (offset) => opened.push(offset)})
    const [first, second] = shareBlob(source, 2)
    if (first === undefined || second === undefined) throw new Error('two shares were asked for')
    const releases = [first.hold(), second.hold()]
    // The second has one connection, which the first holds: it begins only when that one is through.
    expect((await collect(first.open())).equals(bytes)).toBe(true)
    expect((await collect(second.open())).equals(bytes)).toBe(true)
    expect(opened).toEqual([0, 0])
    for (const release of releases) release()
  })

  it('is read once for all who hold it, whatever their pace and whoever leaves', async () => {
    const reader = fc.record({
      pause: fc.integer({min: 0, max: 3}),
      leavesAfter: fc.option(fc.integer({min: 0, max: 30}), {nil: undefined}),
      opensLate: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(reader, {minLength: 1, maxLength: 5}),
        fc.integer({min: 0, max: 300 * KiB}),
        async (readers, size) => {
          const bytes = noise(size, 'shared')
          const opened: number[] = []
          const source = blobOf(bytes, {piece: 10 * KiB, onOpen: (offset) => opened.push(offset)})
          const shares = shareBlob(source, readers.length)
          const releases = shares.map((share) => share.hold())
          const results = await Promise.all(
            readers.map(async ({pause, leavesAfter, opensLate}, index) => {
              if (opensLate) await tick(5)
              const chunks: Uint8Array[] = []
              let left = false
              if (leavesAfter === 0) {
                releases[index]?.()
                return undefined
              }
              for await (const chunk of shares[index]?.open() ?? []) {
                chunks.push(chunk)
                if (chunks.length === leavesAfter) {
                  left = true
                  break
                }
                if (pause > 0) await tick(pause - 1)
              }
              releases[index]?.()
              return left ? undefined : Buffer.concat(chunks)
            }),
          )
          const whole = results.filter((result) => result !== undefined)
          expect(whole.every((result) => result.equals(bytes))).toBe(true)
          const stayed = readers.some(({leavesAfter}) => leavesAfter !== 0)
          expect(opened).toEqual(stayed ? [0] : [])
        },
      ),
      {numRuns: 60, seed: 20261121},
    )
  })

  it('waits for the slowest, and holds no more than its bound meanwhile', async () => {
    let position = 0
    const bytes = noise(SHARED_BUFFER + 3 * MiB, 'slow')
    const source = blobOf(bytes, {
      piece: 256 * KiB,
      pause: (at) => {
        position = at
      },
    })
    const [fast, slow] = shareBlob(source, 2)
    if (fast === undefined || slow === undefined) throw new Error('no shares')
    for (const share of [fast, slow]) share.hold()
    const whole = collect(fast.open())
    await tick(100)
    expect(position).toBeLessThanOrEqual(SHARED_BUFFER)
    expect((await collect(slow.open())).equals(bytes)).toBe(true)
    expect((await whole).equals(bytes)).toBe(true)
  })

  it('goes on for the others where one is aborted and never asks again', async () => {
    const bytes = noise(SHARED_BUFFER + 3 * MiB, 'aborted')
    const [one, other] = shareBlob(blobOf(bytes), 2)
    if (one === undefined || other === undefined) throw new Error('no shares')
    for (const share of [one, other]) share.hold()
    const stop = new AbortController()
    const reading = one.open({signal: stop.signal})[Symbol.asyncIterator]()
    await reading.next()
    const whole = collect(other.open())
    await tick(50)
    stop.abort()
    expect((await whole).equals(bytes)).toBe(true)
    await expect(reading.next()).rejects.toMatchObject({code: 'CANCELLED'})
  })

  it('goes on where one of those it waits for is let go', async () => {
    const bytes = noise(SHARED_BUFFER + 3 * MiB, 'let go')
    const [one, other] = shareBlob(blobOf(bytes), 2)
    if (one === undefined || other === undefined) throw new Error('no shares')
    const release = one.hold()
    const whole = collect(other.open())
    await tick(50)
    release()
    release()
    expect((await whole).equals(bytes)).toBe(true)
  })

  it('is read anew by whoever comes late, again, or for a part', async () => {
    const bytes = noise(2 * MiB, 'late')
    const opened: number[] = []
    const [first, late, part] = shareBlob(blobOf(bytes, {onOpen: (offset) => opened.push(offset)}), 3)
    if (first === undefined || late === undefined || part === undefined) throw new Error('no shares')
    for (const share of [first, late]) expect((await collect(share.open())).equals(bytes)).toBe(true)
    expect((await collect(part.open({offset: 1000}))).equals(bytes.subarray(1000))).toBe(true)
    expect((await collect(first.open())).equals(bytes)).toBe(true)
    expect(opened).toEqual([0, 0, 1000, 0])
  })

  it('fails for all with what the source says', async () => {
    const failure = new MirrorError('BLOB_MISSING', 'gone', {side: 'source'})
    const source = blobOf(noise(MiB), {
      pause: (at) => {
        if (at > 500 * KiB) throw failure
      },
    })
    const shares = shareBlob(source, 3)
    for (const share of shares) share.hold()
    const results = await Promise.allSettled(shares.map((share) => collect(share.open())))
    expect(results.map((result) => result.status === 'rejected' && result.reason)).toEqual([
      failure,
      failure,
      failure,
    ])
  })

  it('closes its source when the last reader is gone', async () => {
    let stopped = false
    const source = blobOf(noise(2 * MiB), {
      pause: async (at, signal) => {
        if (at < MiB) return
        await new Promise<void>((resolve) => {
          signal?.addEventListener('abort', () => resolve())
        })
        stopped = true
      },
    })
    const [share] = shareBlob(source, 1)
    if (share === undefined) throw new Error('no share')
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 30)
    await expect(collect(share.open({signal: stop.signal}))).rejects.toMatchObject({code: 'CANCELLED'})
    await expect.poll(() => stopped).toBe(true)
  })

  it('is downloaded once for three registries, one of which refuses it', async () => {
    const from = await serve()
    const image = await makeImage({seed: 'three', layers: 1, layerSize: 3 * MiB, content: 'random'})
    await addImage(from, image, {repository: 'a', tag: 'v1'})
    const source = open([`${from.host}/a:v1`])
    const [found] = await source.images()
    const manifest = found && (await source.manifest(rootOf(found)))
    const [layer] = manifest?.kind === 'image' ? manifest.layers : []
    if (layer === undefined) throw new Error('no layer')
    const targets = [await serve(), await serve(), await serve({faults: [refuse]})]
    const shares = shareBlob(source.blob(layer), targets.length)
    const releases = shares.map((share) => share.hold())
    const outcomes = await Promise.allSettled(
      targets.map(async ({host}, index) => {
        try {
          const share = shares[index]
          if (share === undefined) throw new Error('no share')
          return await sink(host).putBlob('b', share)
        } finally {
          releases[index]?.()
        }
      }),
    )
    expect(outcomes.map(({status}) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(source.usage.downloaded).toBe(layer.size)
    for (const target of targets.slice(0, 2)) {
      expect(digestOf((await target.blob('b', layer.digest)) ?? Buffer.alloc(0))).toBe(layer.digest)
    }
  })
})

const refuse = {
  match: {kind: 'start' as const},
  times: Infinity,
  fault: {type: 'status' as const, status: 403},
}
