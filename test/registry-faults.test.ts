import {digestOf} from '@airgap-mirror/oci-client/model'
import {
  makeAuthority,
  rawClient,
  seededBytes,
  type RawAnswer,
  type RawClient,
  type RawRequest,
} from '@airgap-mirror/test/kit'
import {
  startRegistry,
  type Fault,
  type FaultMatch,
  type RegistryOptions,
  type TestRegistry,
} from '@airgap-mirror/test/registry'
import {describe, expect, test} from 'vitest'

const content = seededBytes('faults', 50_000)
const digest = digestOf(content)
const START = '/v2/a/b/blobs/uploads/'
const BLOB = `/v2/a/b/blobs/${digest}`
const authority = await makeAuthority()
const tls = await authority.issue({hosts: ['127.0.0.1']})

interface Stage {
  readonly registry: TestRegistry
  readonly client: RawClient
  /** The Location of a new session. */
  readonly start: () => Promise<string>
}

describe.each([
  ['HTTP', {}],
  ['TLS', {tls}],
] as const)('over %s', (_name, transport) => {
  const during = async (
    fault: Fault,
    options: {readonly match?: FaultMatch} & RegistryOptions,
    body: (stage: Stage) => Promise<void>,
  ): Promise<void> => {
    const {match = {}, ...own} = options
    await using registry = await startRegistry({...transport, ...own, faults: [{match, fault}]})
    await using client = rawClient(registry.url, {ca: authority.ca})
    const start = async (): Promise<string> => (await client.send('POST', START)).headers['location'] ?? ''
    await body({registry, client, start})
    expect(registry.violations).toEqual([])
  }
  const patch = ({client}: Stage, location: string, rest: RawRequest = {}): Promise<RawAnswer> =>
    client.send('PATCH', location, {body: content, ...rest})

  test('reset-before: nothing is read', () =>
    during({type: 'reset-before'}, {match: {kind: 'send'}}, async (stage) => {
      const location = await stage.start()
      await expect(patch(stage, location)).rejects.toThrow(/ECONNRESET|EPIPE|other side closed/)
      expect(stage.registry.requests.at(-1)).toMatchObject({
        bytesReceived: 0,
        status: undefined,
        fault: 'reset-before',
      })
      expect((await patch(stage, location)).status).toBe(202)
    }))

  test('reset-in-body: what came before stays, and the status says so', () =>
    during({type: 'reset-in-body', after: 20_000}, {match: {kind: 'send'}}, async (stage) => {
      const location = await stage.start()
      await expect(patch(stage, location)).rejects.toThrow(/ECONNRESET|EPIPE|other side closed/)
      const status = await stage.client.send('GET', location)
      expect(status.headers['range']).toBe('0-19999')
    }))

  test('reset-in-body: of an answer, when the request has none', () =>
    during(
      {type: 'reset-in-body', after: 20_000},
      {match: {kind: 'blob-get'}},
      async ({registry, client}) => {
        await registry.addBlob('a/b', content)
        await expect(client.send('GET', BLOB)).rejects.toThrow(/ECONNRESET|terminated|aborted|closed/)
        expect(registry.requests.at(-1)).toMatchObject({status: 200, bytesSent: 20_000})
      },
    ))

  test('reset-after: done, but nobody is told', () =>
    during({type: 'reset-after'}, {match: {kind: 'commit'}}, async ({registry, client, start}) => {
      const location = await start()
      await expect(client.send('PUT', `${location}&digest=${digest}`, {body: content})).rejects.toThrow(
        /ECONNRESET|other side closed/,
      )
      expect(registry.blobs('a/b')).toEqual([digest])
    }))

  test('status: with headers and a body, after the request’s body or before it', () =>
    during(
      {
        type: 'status',
        status: 503,
        headers: {'Retry-After': '7', 'content-type': 'text/html'},
        body: '<h1>no</h1>',
      },
      {match: {kind: 'send'}},
      async (stage) => {
        const location = await stage.start()
        const answer = await patch(stage, location)
        expect([answer.status, answer.headers['retry-after'], String(answer.body)]).toEqual([
          503,
          '7',
          '<h1>no</h1>',
        ])
        expect(stage.registry.requests.at(-1)?.bytesReceived).toBe(50_000)
        stage.registry.setFaults([{match: {kind: 'send'}, fault: {type: 'status', status: 500, early: true}}])
        expect((await patch(stage, location)).status).toBe(500)
        expect(stage.registry.requests.at(-1)?.bytesReceived).toBe(0)
        expect((await patch(stage, location)).headers['range']).toBe('0-49999')
      },
    ))

  test('stall: before the body, in it, before the answer; for a time or until the client leaves', () =>
    during({type: 'stall', ms: 120}, {match: {kind: 'start'}}, async (stage) => {
      const location = await stage.start()
      const [slow] = stage.registry.requests
      expect((slow?.finishedAt ?? 0) - (slow?.startedAt ?? 0)).toBeGreaterThanOrEqual(100)
      for (const [fault, received] of [
        [{type: 'stall'}, 0],
        [{type: 'stall', at: 'body', after: 10_000}, 10_000],
      ] as const) {
        stage.registry.setFaults([{match: {kind: 'send'}, fault}])
        const signal = AbortSignal.timeout(150)
        await expect(patch(stage, location, {signal})).rejects.toThrow(/timeout|aborted/)
        expect(stage.registry.requests.at(-1)?.bytesReceived).toBe(received)
      }
      stage.registry.setFaults([
        {match: {kind: 'send'}, fault: {type: 'stall', at: 'body', after: 10, ms: 50}},
      ])
      const last = await patch(stage, (await stage.client.send('GET', location)).headers['location'] ?? '')
      expect(last.headers['range']).toBe('0-59999')
      stage.registry.setFaults([{fault: {type: 'stall', at: 'response'}}])
      await expect(stage.client.send('POST', START, {signal: AbortSignal.timeout(150)})).rejects.toThrow(
        /timeout|aborted/,
      )
      expect(stage.registry.openUploads).toBe(2)
    }))

  test('trickle: a body in drops, either way', () =>
    during({type: 'trickle', bytes: 10_000, ms: 20}, {match: {kind: ['send', 'blob-get']}}, async (stage) => {
      await stage.registry.addBlob('a/b', content)
      const before = Date.now()
      const answer = await stage.client.send('GET', BLOB)
      expect(answer.body.equals(content)).toBe(true)
      stage.registry.setFaults([{match: {kind: 'send'}, fault: {type: 'trickle', bytes: 10_000, ms: 20}}])
      expect((await patch(stage, await stage.start())).headers['range']).toBe('0-49999')
      expect(Date.now() - before).toBeGreaterThanOrEqual(150)
    }))

  test('wrong-range and no-range: of the answer', () =>
    during({type: 'wrong-range', range: '0-99'}, {match: {kind: 'send'}}, async (stage) => {
      expect((await patch(stage, await stage.start())).headers['range']).toBe('0-99')
      stage.registry.setFaults([{match: {kind: 'send'}, fault: {type: 'no-range'}}])
      expect((await patch(stage, await stage.start())).headers['range']).toBeUndefined()
    }))

  test('location: in every form', () =>
    during({type: 'location', form: 'relative'}, {match: {kind: 'start'}}, async ({registry, start}) => {
      const forms = [await start()]
      for (const fault of [
        {type: 'location', form: 'cross-origin'},
        {type: 'location', form: 'missing'},
        {type: 'location', form: 'http'},
        {type: 'location', form: 'exactly', value: 'https://elsewhere.test/x?y'},
      ] as const) {
        registry.setFaults([{match: {kind: 'start'}, fault}])
        forms.push(await start())
      }
      expect(forms.map((text) => text.replace(/uploads\/.*/, 'uploads/'))).toEqual([
        START,
        registry.otherOrigin + START,
        '',
        `http://${registry.host}${START}`,
        'https://elsewhere.test/x?y',
      ])
    }))

  test('early-201: said before the body is read, and nothing is stored', () =>
    during({type: 'early-201', after: 1000}, {match: {kind: 'commit'}}, async ({registry, client, start}) => {
      const location = await start()
      const answer = await client.send('PUT', `${location}&digest=${digest}`, {body: content})
      expect([answer.status, answer.headers['docker-content-digest'], registry.blobs('a/b')]).toEqual([
        201,
        digest,
        [],
      ])
      expect((await client.send('PUT', `${location}&digest=${digest}`, {body: content})).status).toBe(201)
      expect(registry.blobs('a/b')).toEqual([digest])
    }))

  test('session-gone: 404 from then on', () =>
    during({type: 'session-gone'}, {match: {kind: 'send'}}, async (stage) => {
      const location = await stage.start()
      expect((await patch(stage, location)).json()).toMatchObject({errors: [{code: 'BLOB_UPLOAD_UNKNOWN'}]})
      expect((await stage.client.send('GET', location)).status).toBe(404)
    }))

  test('unauthorized: a challenge, and the token is void', () => {
    const users = [{name: 'u', password: 'p'}]
    return during(
      {type: 'unauthorized'},
      {match: {kind: 'start'}, auth: {type: 'token', users}},
      async ({client, registry}) => {
        const authorization = `Basic ${Buffer.from('u:p').toString('base64')}`
        const path = '/token?scope=repository:a/b:pull,push'
        const {token} = (await client.send('GET', path, {headers: {authorization}})).json() as {token: string}
        const headers = {authorization: `Bearer ${token}`}
        const answer = await client.send('POST', START, {headers})
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([
          401,
          expect.stringContaining('Bearer realm='),
        ])
        expect((await client.send('POST', START, {headers})).status).toBe(401)
        expect(registry.requests.map(({fault}) => fault)).toEqual([undefined, 'unauthorized', undefined])
      },
    )
  })

  test('headers, corrupt and endless: answers that lie', () =>
    during(
      {type: 'headers', headers: {'Docker-Content-Digest': undefined, warning: '299 - "x"'}},
      {},
      async ({registry, client}) => {
        await registry.addBlob('a/b', content)
        const answer = await client.send('HEAD', BLOB)
        expect([answer.headers['docker-content-digest'], answer.headers['warning']]).toEqual([
          undefined,
          '299 - "x"',
        ])
        registry.setFaults([{fault: {type: 'corrupt'}}])
        const lie = await client.send('GET', BLOB)
        expect([lie.body.length, digestOf(lie.body) === digest]).toEqual([50_000, false])
        registry.setFaults([{fault: {type: 'endless'}}])
        await expect(client.send('GET', BLOB, {signal: AbortSignal.timeout(200)})).rejects.toThrow(
          /timeout|aborted/,
        )
        expect(registry.requests.at(-1)?.bytesSent).toBeGreaterThan(50_000)
      },
    ))
})

describe('rules', () => {
  const statuses = async (registry: TestRegistry, count: number): Promise<(number | undefined)[]> => {
    await using client = rawClient(registry.url)
    for (let index = 0; index < count; index += 1) await client.send('GET', '/v2/')
    return registry.requests.map(({status}) => status)
  }
  const teapot = {type: 'status', status: 418} as const

  test('apply from the nth match on, so many times', async () => {
    await using registry = await startRegistry({
      faults: [{match: {kind: 'ping'}, nth: 2, times: 2, fault: teapot}],
    })
    expect(await statuses(registry, 5)).toEqual([200, 418, 418, 200, 200])
  })

  test('apply for good, and count from the start again when they are replaced', async () => {
    await using registry = await startRegistry()
    registry.setFaults([
      {match: {path: /^\/v2\/$/, method: 'GET'}, times: Number.POSITIVE_INFINITY, fault: teapot},
    ])
    expect(await statuses(registry, 2)).toEqual([418, 418])
    registry.setFaults([{match: {kind: 'head'}, fault: teapot}])
    expect(await statuses(registry, 1)).toEqual([418, 418, 200])
  })

  test('do not count requests that were not let in', async () => {
    await using registry = await startRegistry({
      auth: {type: 'basic', users: [{name: 'u', password: 'p'}]},
      faults: [{fault: teapot}],
    })
    expect(await statuses(registry, 2)).toEqual([401, 401])
  })
})

test('close ends a connection that hangs', async () => {
  const registry = await startRegistry({faults: [{fault: {type: 'stall'}}]})
  await using client = rawClient(registry.url)
  const hanging = client.send('GET', '/v2/')
  hanging.catch(() => undefined)
  while (registry.requests.length === 0) await new Promise(setImmediate)
  await registry.close()
  await expect(hanging).rejects.toThrow(/other side closed|ECONNRESET/)
})
