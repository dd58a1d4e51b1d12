import type {RequestListener} from 'node:http'
import {gzipSync} from 'node:zlib'
import {describe, expect, it} from 'vitest'
import {KiB, noise} from './registry-kit.js'
import {collect} from './source-kit.js'
import {layerOf, serveLayer} from './source-layer.js'

describe('a registry that lies', () => {
  const bytes = noise(700 * KiB, 'lies')
  const layer = layerOf(bytes)
  const half = 300 * KiB

  /** Breaks the first answer off in the middle; the rest is asked for again. */
  const torn =
    (answer: RequestListener): RequestListener =>
    (request, response) => {
      if (request.headers.range !== undefined) return answer(request, response)
      response.writeHead(200, {'content-length': bytes.length})
      response.write(bytes.subarray(0, half), () => setTimeout(() => response.destroy(), 20))
    }

  it.each<[string, RequestListener, string]>([
    [
      'with other bytes',
      (_request, response) => response.end(noise(layer.size, 'others')),
      'DIGEST_MISMATCH',
    ],
    [
      'without end',
      (_request, response) => {
        response.writeHead(200)
        const more = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(64 * KiB), () => setImmediate(more))
        }
        more()
      },
      'DIGEST_MISMATCH',
    ],
    [
      'with another length',
      (_request, response) => response.writeHead(200, {'content-length': 5}).end('short'),
      'DIGEST_MISMATCH',
    ],
    [
      'too short, and as if that were all',
      (_request, response) => response.write(bytes.subarray(0, half), () => response.end()),
      'UNREACHABLE',
    ],
    [
      'packed, though asked not to',
      (_request, response) => {
        const packed = gzipSync(bytes)
        response.writeHead(200, {'content-encoding': 'gzip', 'content-length': packed.length}).end(packed)
      },
      'DIGEST_MISMATCH',
    ],
    [
      'with a part that nobody asked for',
      (_request, response) => response.writeHead(206).end(bytes),
      'PROTOCOL',
    ],
    ['with a page', (_request, response) => response.writeHead(403).end('<html>no</html>'), 'DENIED'],
  ])('%s is found out', async (_how, answer, code) => {
    const {blob, close} = await serveLayer(layer, answer)
    try {
      await expect(collect(blob.open())).rejects.toMatchObject({code, side: 'source'})
    } finally {
      await close()
    }
  })

  it('about packing, and sends the blob as it is, is not minded', async () => {
    const {blob, close} = await serveLayer(layer, (_request, response) => {
      response.writeHead(200, {'content-encoding': 'gzip', 'content-length': bytes.length}).end(bytes)
    })
    try {
      expect((await collect(blob.open())).equals(bytes)).toBe(true)
    } finally {
      await close()
    }
  })

  it.each<[string, (start: number) => string | undefined]>([
    ['of another part', () => `bytes 0-${bytes.length - 1 - half}/${bytes.length}`],
    ['of another whole', (start) => `bytes ${start}-${bytes.length - 1}/${bytes.length + 1}`],
    ['that goes past the end', (start) => `bytes ${start}-${bytes.length}/*`],
    ['that is none', () => undefined],
  ])('in a Content-Range %s is asked for the whole instead', async (_how, contentRange) => {
    let ranges = 0
    let wholes = 0
    const {blob, close} = await serveLayer(layer, (request, response) => {
      const range = contentRange(Number(/\d+/.exec(request.headers.range ?? '')?.[0]))
      if (request.headers.range !== undefined) {
        ranges += 1
        response
          .writeHead(206, range === undefined ? {} : {'content-range': range})
          .end(bytes.subarray(0, 100))
      } else {
        wholes += 1
        response.writeHead(200, {'content-length': bytes.length})
        if (wholes === 1)
          response.write(bytes.subarray(0, half), () => setTimeout(() => response.destroy(), 20))
        else response.end(bytes)
      }
    })
    try {
      expect((await collect(blob.open())).equals(bytes)).toBe(true)
      expect([ranges, wholes]).toEqual([1, 2])
    } finally {
      await close()
    }
  })

  it.each([200, 416])(
    'and answers %i to a Range begins again, and what is there is left out',
    async (status) => {
      let asked = 0
      const {blob, close} = await serveLayer(layer, (request, response) => {
        asked += 1
        if (status === 416 && request.headers.range !== undefined) response.writeHead(416).end()
        else if (asked === 1) torn(() => {})(request, response)
        else response.writeHead(200, {'content-length': bytes.length}).end(bytes)
      })
      try {
        expect((await collect(blob.open())).equals(bytes)).toBe(true)
        expect(asked).toBe(status === 416 ? 3 : 2)
      } finally {
        await close()
      }
    },
  )

  it('with other bytes in the part is found out at the end', async () => {
    const answer: RequestListener = (request, response) => {
      const start = Number(/\d+/.exec(request.headers.range ?? '')?.[0])
      const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`
      response.writeHead(206, {'content-range': range}).end(noise(bytes.length - start, 'other part'))
    }
    const {blob, close} = await serveLayer(layer, torn(answer))
    try {
      await expect(collect(blob.open())).rejects.toMatchObject({code: 'DIGEST_MISMATCH'})
    } finally {
      await close()
    }
  })
})
