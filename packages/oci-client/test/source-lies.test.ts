import {gzipSync} from 'node:zlib'
import {describe, expect, it} from 'vitest'
import type {Answer, Asked, Script} from '../../../test/kit/scripted-server.js'
import {KiB, noise} from './registry-kit.js'
import {collect} from './source-kit.js'
import {layerOf, serveLayer} from './source-layer.js'

describe('a registry that lies', () => {
  const bytes = noise(700 * KiB, 'lies')
  const layer = layerOf(bytes)
  const half = 300 * KiB

  const torn: Answer = {body: bytes, cutAt: half}

  /** Breaks the first answer off in the middle; the rest is asked for again. */
  function tornThen(answer: Script): Script {
    return (asked) => (asked.headers.range === undefined ? torn : answer(asked))
  }

  function startOf({headers}: Asked): number {
    return Number(/\d+/.exec(headers.range ?? '')?.[0])
  }

  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(64 * KiB)
  }

  it.each<[string, Answer | Script, string]>([
    ['with other bytes', {body: noise(layer.size, 'others')}, 'DIGEST_MISMATCH'],
    ['without end', () => ({body: endless()}), 'DIGEST_MISMATCH'],
    ['with another length', {body: 'short'}, 'DIGEST_MISMATCH'],
    ['too short, and as if that were all', () => ({body: [bytes.subarray(0, half)]}), 'UNREACHABLE'],
    [
      'packed, though asked not to',
      {headers: {'content-encoding': 'gzip'}, body: gzipSync(bytes)},
      'DIGEST_MISMATCH',
    ],
    ['with a part that nobody asked for', {status: 206, body: bytes}, 'PROTOCOL'],
    ['with a page', {status: 403, body: '<html>no</html>'}, 'DENIED'],
  ])('%s is found out', async (_how, answer, code) => {
    await using served = await serveLayer(layer, answer)
    await expect(collect(served.blob.open())).rejects.toMatchObject({code, side: 'source'})
  })

  it('about packing, and sends the blob as it is, is not minded', async () => {
    await using served = await serveLayer(layer, {headers: {'content-encoding': 'gzip'}, body: bytes})
    expect((await collect(served.blob.open())).equals(bytes)).toBe(true)
  })

  it.each<[string, (start: number) => string | undefined]>([
    ['of another part', () => `bytes 0-${bytes.length - 1 - half}/${bytes.length}`],
    ['of another whole', (start) => `bytes ${start}-${bytes.length - 1}/${bytes.length + 1}`],
    ['that goes past the end', (start) => `bytes ${start}-${bytes.length}/*`],
    ['that is none', () => undefined],
  ])('in a Content-Range %s is asked for the whole instead', async (_how, contentRange) => {
    let ranges = 0
    let wholes = 0
    await using served = await serveLayer(layer, (asked) => {
      if (asked.headers.range === undefined) return ++wholes === 1 ? torn : {body: bytes}
      ranges += 1
      const range = contentRange(startOf(asked))
      return {
        status: 206,
        headers: range === undefined ? {} : {'content-range': range},
        body: bytes.subarray(0, 100),
      }
    })
    expect((await collect(served.blob.open())).equals(bytes)).toBe(true)
    expect([ranges, wholes]).toEqual([1, 2])
  })

  it.each([200, 416])(
    'and answers %i to a Range begins again, and what is there is left out',
    async (status) => {
      let times = 0
      await using served = await serveLayer(layer, ({headers}) => {
        times += 1
        if (status === 416 && headers.range !== undefined) return {status}
        return times === 1 ? torn : {body: bytes}
      })
      expect((await collect(served.blob.open())).equals(bytes)).toBe(true)
      expect(times).toBe(status === 416 ? 3 : 2)
    },
  )

  it('with other bytes in the part is found out at the end', async () => {
    const other = tornThen((asked) => {
      const start = startOf(asked)
      const headers = {'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`}
      return {status: 206, headers, body: noise(bytes.length - start, 'other part')}
    })
    await using served = await serveLayer(layer, other)
    await expect(collect(served.blob.open())).rejects.toMatchObject({code: 'DIGEST_MISMATCH'})
  })
})
