import {digestOf, type Digest} from '@airgap-mirror/oci-client/model'
import {seededBytes, withTempDir, withRegistry, type RawClient} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'

const content = seededBytes('protocol', 100_000)
const digest = digestOf(content)

async function upload(client: RawClient, repository: string, bytes: Uint8Array): Promise<Digest> {
  const started = await client.send('POST', `/v2/${repository}/blobs/uploads/`)
  const put = await client.send('PUT', `${started.headers['location']}&digest=${digestOf(bytes)}`, {
    body: bytes,
  })
  expect(put.status).toBe(201)
  return digestOf(bytes)
}

describe('blobs', () => {
  test(
    'are served whole, in ranges, and to HEAD with their length',
    withRegistry({}, async (registry, client) => {
      await registry.addBlob('a/b', content)
      const path = `/v2/a/b/blobs/${digest}`
      const whole = await client.send('GET', path)
      expect([whole.status, whole.headers['docker-content-digest']]).toEqual([200, digest])
      expect(whole.body.equals(content)).toBe(true)
      const head = await client.send('HEAD', path)
      expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '100000', 0])
      for (const [range, start, end] of [
        ['bytes=10-19', 10, 20],
        ['bytes=99990-', 99_990, 100_000],
        ['bytes=-5', 99_995, 100_000],
        ['bytes=99990-200000', 99_990, 100_000],
      ] as const) {
        const part = await client.send('GET', path, {headers: {range}})
        expect([part.status, part.headers['content-range']]).toEqual([
          206,
          `bytes ${start}-${end - 1}/100000`,
        ])
        expect(part.body.equals(content.subarray(start, end))).toBe(true)
      }
      expect((await client.send('GET', path, {headers: {range: 'bytes=100000-'}})).status).toBe(416)
    }),
  )

  test(
    'are known to the repository they were put into, and can be deleted',
    withRegistry({}, async (registry, client) => {
      await registry.addBlob('a/b', content)
      const other = await client.send('HEAD', `/v2/a/c/blobs/${digest}`)
      expect(other.status).toBe(404)
      expect((await client.send('DELETE', `/v2/a/b/blobs/${digest}`)).status).toBe(202)
      const gone = await client.send('GET', `/v2/a/b/blobs/${digest}`)
      expect([gone.status, gone.json()]).toMatchObject([404, {errors: [{code: 'BLOB_UNKNOWN'}]}])
    }),
  )

  test(
    'may be empty, or of sha512',
    withRegistry({}, async (registry, client) => {
      await upload(client, 'a/b', Buffer.alloc(0))
      const long = digestOf(content, 'sha512')
      const started = await client.send('POST', '/v2/a/b/blobs/uploads/')
      const put = await client.send('PUT', `${started.headers['location']}&digest=${long}`, {body: content})
      expect([put.status, put.headers['docker-content-digest']]).toEqual([201, long])
      expect(registry.blobs('a/b')).toEqual([digestOf(Buffer.alloc(0)), long])
    }),
  )

  test(
    'redirect to a signed URL that takes no credentials',
    withRegistry({redirectBlobs: true}, async (registry, client) => {
      await registry.addBlob('a/b', content)
      const answer = await client.send('GET', `/v2/a/b/blobs/${digest}`)
      const target = answer.headers['location'] ?? ''
      expect([answer.status, target.startsWith(registry.otherOrigin)]).toEqual([307, true])
      expect((await client.send('GET', target)).body.equals(content)).toBe(true)
      expect((await client.send('GET', target, {headers: {authorization: 'Bearer x'}})).status).toBe(400)
      expect((await client.send('GET', `${registry.otherOrigin}/v2/a/b/blobs/${digest}`)).status).toBe(403)
    }),
  )

  test('stay in a directory, from one registry to the next', () =>
    withTempDir(async (directory) => {
      await withRegistry({storage: {directory}}, async (registry, client) => {
        await upload(client, 'a/b', content)
        expect(Buffer.from((await registry.blob('a/b', digest)) ?? []).equals(content)).toBe(true)
      })()
      await withRegistry({storage: {directory}}, async (registry, client) => {
        await registry.addBlob('a/b', content)
        const part = await client.send('GET', `/v2/a/b/blobs/${digest}`, {headers: {range: 'bytes=7-8'}})
        expect(part.body.equals(content.subarray(7, 9))).toBe(true)
      })()
    }))

  test(
    'over the size that is kept are known but cannot be pulled',
    withRegistry({storage: {keepContentUpTo: 1000}}, async (registry, client) => {
      await upload(client, 'a/b', content)
      expect((await client.send('HEAD', `/v2/a/b/blobs/${digest}`)).headers['content-length']).toBe('100000')
      expect((await client.send('GET', `/v2/a/b/blobs/${digest}`)).status).toBe(500)
      expect(await registry.blob('a/b', digest)).toBeUndefined()
    }),
  )
})
