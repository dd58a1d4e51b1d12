import {once} from 'node:events'
import http from 'node:http'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {rawClient, seededBytes, withRegistry, type RawAnswer, type RawClient} from '@airgap-mirror/test/kit'
import type {TestRegistry} from '@airgap-mirror/test/registry'
import {describe, expect, test} from 'vitest'

const content = seededBytes('uploads', 30_000)
const digest = digestOf(content)
const START = '/v2/a/b/blobs/uploads/'

async function start(client: RawClient, query = ''): Promise<string> {
  const answer = await client.send('POST', `${START}${query}`)
  expect(answer.status).toBe(202)
  return locationOf(answer)
}

function locationOf(answer: RawAnswer): string {
  return answer.headers['location'] ?? ''
}

function codeOf(answer: RawAnswer): unknown {
  return [answer.status, (answer.json() as {errors: {code: string}[]}).errors[0]?.code]
}

function chunk(client: RawClient, location: string, range: readonly [number, number]): Promise<RawAnswer> {
  return client.send('PATCH', location, {
    body: content.subarray(range[0], range[1]),
    headers: {'content-range': `${range[0]}-${range[1] - 1}`},
  })
}

/** Sends a part of a PATCH whose length is announced whole, and goes away. */
async function tear(registry: TestRegistry, location: string, bytes: number): Promise<void> {
  const [host = '', port = ''] = registry.host.split(':')
  const request = http.request({
    host,
    port,
    path: location.slice(registry.url.length),
    method: 'PATCH',
    headers: {'content-length': content.length},
  })
  const gone = once(request, 'error')
  request.write(content.subarray(0, bytes))
  await expect.poll(() => registry.requests.at(-1)?.bytesReceived).toBe(bytes)
  request.destroy(new Error('torn'))
  await gone.catch(() => undefined)
  await expect.poll(() => registry.requests.at(-1)?.finishedAt).toBeDefined()
}

describe('a blob is taken', () => {
  test(
    'with POST and PUT, with POST, one streamed PATCH and PUT, and with one POST',
    withRegistry({}, async (registry, client) => {
      const put = await client.send('PUT', `${await start(client)}&digest=${digest}`, {body: content})
      expect([put.status, put.headers['docker-content-digest']]).toEqual([201, digest])

      const patch = await client.send('PATCH', await start(client), {
        body: (async function* () {
          yield content.subarray(0, 10)
          yield content.subarray(10)
        })(),
      })
      expect([patch.status, patch.headers['range']]).toEqual([202, '0-29999'])
      expect((await client.send('PUT', `${locationOf(patch)}&digest=${digest}`)).status).toBe(201)

      expect((await client.send('POST', `${START}?digest=${digest}`, {body: content})).status).toBe(201)
      expect(registry.commits.map(({size}) => size)).toEqual([30_000, 30_000, 30_000])
      expect([registry.bytesReceived, registry.bytesReceivedOf(digest)]).toEqual([90_000, 90_000])
      expect(registry.openUploads).toBe(0)
    }),
  )

  test(
    'in chunks, the last of them with the PUT',
    withRegistry({chunkMinLength: 10_000}, async (_registry, client) => {
      const started = await client.send('POST', START)
      expect(started.headers['oci-chunk-min-length']).toBe('10000')
      const first = await chunk(client, locationOf(started), [0, 10_000])
      expect([first.status, first.headers['range']]).toEqual([202, '0-9999'])
      const second = await chunk(client, locationOf(first), [10_000, 20_000])
      const put = await client.send('PUT', `${locationOf(second)}&digest=${digest}`, {
        body: content.subarray(20_000),
        headers: {'content-range': '20000-29999'},
      })
      expect(put.status).toBe(201)
    }),
  )

  test(
    'and refused with the wrong digest, or after a chunk below the minimum',
    withRegistry({chunkMinLength: 10_000}, async (registry, client) => {
      const put = await client.send('PUT', `${await start(client)}&digest=${digestOf(Buffer.from('x'))}`, {
        body: content,
      })
      expect(codeOf(put)).toEqual([400, 'DIGEST_INVALID'])
      const short = await chunk(client, await start(client), [0, 10])
      expect(codeOf(await chunk(client, locationOf(short), [10, 20_010]))).toEqual([400, 'SIZE_INVALID'])
      expect(registry.violations).toHaveLength(1)
    }),
  )

  test(
    'and not, once its session was cancelled or lost',
    withRegistry({}, async (registry, client) => {
      const location = await start(client)
      expect((await client.send('DELETE', location)).status).toBe(204)
      expect(codeOf(await client.send('PATCH', location, {body: content}))).toEqual([
        404,
        'BLOB_UPLOAD_UNKNOWN',
      ])
      const other = await start(client)
      await registry.loseUploads()
      expect((await client.send('GET', other)).status).toBe(404)
    }),
  )
})

describe('a chunk out of order', () => {
  test(
    'is 416, and the session goes on from what the status says',
    withRegistry({}, async (_registry, client) => {
      const first = await chunk(client, await start(client), [0, 10_000])
      const wrong = await chunk(client, locationOf(first), [20_000, 30_000])
      expect([codeOf(wrong), wrong.headers['range']]).toEqual([[416, 'RANGE_INVALID'], '0-9999'])
      const again = await chunk(client, locationOf(first), [0, 10_000])
      expect(again.status).toBe(416)
      const status = await client.send('GET', locationOf(first))
      expect([status.status, status.headers['range']]).toEqual([204, '0-9999'])
      const rest = await chunk(client, locationOf(status), [10_000, 30_000])
      expect((await client.send('PUT', `${locationOf(rest)}&digest=${digest}`)).status).toBe(201)
    }),
  )

  test(
    'is not noticed by a forgetful registry until the digest is wrong',
    withRegistry({uploads: 'forgetful'}, async (_registry, client) => {
      const first = await chunk(client, await start(client), [0, 10_000])
      const wrong = await chunk(client, locationOf(first), [20_000, 30_000])
      expect(wrong.status).toBe(202)
      const put = await client.send('PUT', `${locationOf(wrong)}&digest=${digest}`)
      expect(codeOf(put)).toEqual([400, 'DIGEST_INVALID'])
    }),
  )
})

describe('after a torn PATCH', () => {
  test(
    'a resumable registry says how much it has',
    withRegistry({}, async (registry, client) => {
      const location = await start(client)
      await tear(registry, location, 12_345)
      const status = await client.send('GET', location)
      expect([status.status, status.headers['range']]).toEqual([204, '0-12344'])
      const rest = await chunk(client, locationOf(status), [12_345, 30_000])
      expect((await client.send('PUT', `${locationOf(rest)}&digest=${digest}`)).status).toBe(201)
    }),
  )

  test(
    'a forgetful one answers 400 to whatever comes, and the session is gone',
    withRegistry({uploads: 'forgetful'}, async (registry, client) => {
      const location = await start(client)
      await tear(registry, location, 12_345)
      expect(codeOf(await client.send('GET', location))).toEqual([400, 'BLOB_UPLOAD_INVALID'])
      expect(codeOf(await client.send('GET', location))).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
    }),
  )

  test(
    'a deleting one has forgotten it already',
    withRegistry({uploads: 'deleting'}, async (registry, client) => {
      const location = await start(client)
      await tear(registry, location, 12_345)
      expect([registry.openUploads, (await client.send('GET', location)).status]).toEqual([0, 404])
    }),
  )
})

describe('the Location', () => {
  test(
    'has a query that must come back byte for byte',
    withRegistry({}, async (_registry, client) => {
      const location = await start(client)
      const tidied = new URL(location)
      tidied.searchParams.set('digest', digest)
      expect(codeOf(await client.send('PUT', String(tidied), {body: content}))).toEqual([
        400,
        'BLOB_UPLOAD_INVALID',
      ])
      expect((await client.send('PUT', `${location}&digest=${digest}`, {body: content})).status).toBe(201)
    }),
  )

  test(
    'may be relative',
    withRegistry({locations: 'relative'}, async (_registry, client) => {
      expect(await start(client)).toMatch(/^\/v2\/a\/b\/blobs\/uploads\//)
    }),
  )

  test(
    'may be at another origin, which takes the upload without credentials',
    withRegistry({locations: 'cross-origin'}, async (registry, client) => {
      const location = await start(client)
      expect(location.startsWith(`${registry.otherOrigin}/`)).toBe(true)
      expect((await client.send('PUT', `${location}&digest=${digest}`, {body: content})).status).toBe(201)
      expect(registry.requests.map(({kind, origin}) => [kind, origin])).toEqual([
        ['start', 'main'],
        ['commit', 'other'],
      ])
    }),
  )
})

describe('a mount', () => {
  test(
    'is 201 where the other repository has the blob, else an upload',
    withRegistry({}, async (registry, client) => {
      await registry.addBlob('a/from', content)
      const mounted = await client.send('POST', `${START}?mount=${digest}&from=a/from`)
      expect([mounted.status, registry.blobs('a/b')]).toEqual([201, [digest]])
      await start(client, `?mount=${digestOf(Buffer.from('x'))}&from=a/from`)
      await start(client, `?mount=${digest}&from=a/other`)
    }),
  )

  test(
    'is an upload always where mounts are off',
    withRegistry({mount: 'off'}, async (registry, client) => {
      await registry.addBlob('a/from', content)
      await start(client, `?mount=${digest}&from=a/from`)
      expect(registry.blobs('a/b')).toEqual([])
    }),
  )
})

describe('chunks', () => {
  test.each([404, 405, 416] as const)(
    'are answered %i where they are off, one streamed PATCH is taken',
    (status) =>
      withRegistry({chunks: status}, async (_registry, client) => {
        expect((await chunk(client, await start(client), [0, 10_000])).status).toBe(status)
        const patch = await client.send('PATCH', await start(client), {body: content})
        expect(patch.status).toBe(202)
        expect((await client.send('PUT', `${locationOf(patch)}&digest=${digest}`)).status).toBe(201)
      })(),
  )

  test(
    'are thrown away after the first, as ECR does, and Range does not move',
    withRegistry({chunks: 'ecr'}, async (_registry, client) => {
      const first = await chunk(client, await start(client), [0, 10_000])
      const second = await chunk(client, locationOf(first), [10_000, 30_000])
      expect([first, second].map(({status, headers}) => [status, headers['range']])).toEqual([
        [201, '0-9999'],
        [201, '0-9999'],
      ])
      const put = await client.send('PUT', `${locationOf(second)}&digest=${digest}`)
      expect(codeOf(put)).toEqual([400, 'DIGEST_INVALID'])
    }),
  )
})

test(
  'bodies over the limit are 413 with an HTML page, whether their length is announced or not',
  withRegistry({bodyLimit: 20_000}, async (registry, client) => {
    const announced = await client.send('PUT', `${await start(client)}&digest=${digest}`, {body: content})
    expect([announced.status, announced.headers['content-type']]).toEqual([413, 'text/html'])
    const streamed = await client.send('PATCH', await start(client), {
      body: (async function* () {
        for (let offset = 0; offset < content.length; offset += 5000)
          yield content.subarray(offset, offset + 5000)
      })(),
    })
    expect(streamed.status).toBe(413)
    expect(registry.blobs('a/b')).toEqual([])
  }),
)

test(
  'it goes down and comes back on its port with everything it had',
  withRegistry({}, async (registry, client) => {
    const location = await start(client)
    await registry.goDown()
    await expect(rawClient(registry.url).send('GET', '/v2/')).rejects.toThrow('ECONNREFUSED')
    await registry.comeBack()
    expect((await client.send('PUT', `${location}&digest=${digest}`, {body: content})).status).toBe(201)
  }),
)
