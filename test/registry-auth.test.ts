import {setTimeout as sleep} from 'node:timers/promises'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {makeAuthority, rawClient, withRegistry, type RawAnswer, type RawClient} from '@airgap-mirror/test/kit'
import {startRegistry, type TokenAuth} from '@airgap-mirror/test/registry'
import {describe, expect, test} from 'vitest'

const users = [
  {name: 'writer', password: 'w:1'},
  {name: 'reader', password: 'r', access: 'pull'},
] as const
function token(rest: Partial<TokenAuth> = {}): TokenAuth {
  return {type: 'token', users, ...rest}
}
const START = '/v2/a/b/blobs/uploads/'

function basic(credentials: string): Record<string, string> {
  return {
    authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
  }
}

async function tokenFor(client: RawClient, query: string, credentials?: string): Promise<string> {
  const answer = await client.send('GET', `/token?${query}`, {
    headers: credentials === undefined ? {} : basic(credentials),
  })
  expect(answer.status).toBe(200)
  return (answer.json() as {token: string}).token
}

function bearer(client: RawClient, value: string, path = START): Promise<RawAnswer> {
  return client.send(path === START || path.includes('mount=') ? 'POST' : 'GET', path, {
    headers: {authorization: `Bearer ${value}`},
  })
}

describe('basic auth', () => {
  test(
    'challenges strangers, lets writers push, and refuses readers with DENIED',
    withRegistry({auth: {type: 'basic', users}}, async (_registry, client) => {
      const stranger = await client.send('GET', '/v2/')
      expect([stranger.status, stranger.headers['www-authenticate']]).toEqual([401, 'Basic realm="registry"'])
      expect((await client.send('POST', START, {headers: basic('writer:wrong')})).status).toBe(401)
      expect((await client.send('POST', START, {headers: basic('writer:w:1')})).status).toBe(202)
      const reader = await client.send('POST', START, {headers: basic('reader:r')})
      expect([reader.status, reader.json()]).toMatchObject([403, {errors: [{code: 'DENIED'}]}])
      expect((await client.send('GET', '/v2/', {headers: basic('reader:r')})).status).toBe(200)
    }),
  )
})

describe('token auth', () => {
  test(
    'names realm, service and scope, and takes the token it gives for them',
    withRegistry({auth: token()}, async (registry, client) => {
      const challenged = await client.send('POST', START)
      expect([challenged.status, challenged.headers['www-authenticate']]).toEqual([
        401,
        `Bearer realm="${registry.url}/token",service="test-registry",scope="repository:a/b:pull,push"`,
      ])
      const value = await tokenFor(client, 'scope=repository:a/b:pull,push', 'writer:w:1')
      expect((await bearer(client, value)).status).toBe(202)
      const elsewhere = await bearer(client, value, '/v2/a/c/tags/list')
      expect([elsewhere.status, elsewhere.headers['www-authenticate']]).toEqual([
        401,
        expect.stringContaining('scope="repository:a/c:pull",error="insufficient_scope"'),
      ])
      expect(registry.requests.at(-1)?.headers.authorization).toBe('Bearer')
    }),
  )

  test(
    'refuses who asked for more than they may with 403, or with 401 for ever where it is told so',
    withRegistry({auth: token()}, async (_registry, client) => {
      const value = await tokenFor(client, 'scope=repository:a/b:pull,push', 'reader:r')
      expect((await bearer(client, value)).status).toBe(403)
      await using strict = await startRegistry({auth: token({refusal: 401})})
      await using other = rawClient(strict.url)
      const same = await tokenFor(other, 'scope=repository:a/b:pull,push', 'reader:r')
      expect((await bearer(other, same)).status).toBe(401)
    }),
  )

  test(
    'gives strangers no token, or one to pull with',
    withRegistry({auth: token()}, async (_registry, client) => {
      expect((await client.send('GET', '/token?scope=repository:a/b:pull')).status).toBe(401)
      await using open = await startRegistry({auth: token({anonymous: 'pull'})})
      await using other = rawClient(open.url)
      const value = await tokenFor(other, 'scope=repository:a/b:pull,push')
      expect((await bearer(other, value, '/v2/a/b/tags/list')).status).toBe(404)
      expect((await bearer(other, value)).status).toBe(403)
    }),
  )

  test(
    'mounts only from where the token may pull',
    withRegistry({auth: token()}, async (registry, client) => {
      const digest = await registry.addBlob('a/from', Buffer.from('x'))
      const path = `${START}?mount=${digest}&from=a/from`
      const narrow = await tokenFor(client, 'scope=repository:a/b:pull,push', 'writer:w:1')
      expect((await bearer(client, narrow, path)).status).toBe(202)
      const wide = await tokenFor(
        client,
        'scope=repository:a/b:pull,push&scope=repository:a/from:pull',
        'writer:w:1',
      )
      expect((await bearer(client, wide, path)).status).toBe(201)
    }),
  )

  test(
    'takes a token for so many requests',
    withRegistry({auth: token({usesPerToken: 2})}, async (_registry, client) => {
      const used = await tokenFor(client, 'scope=repository:a/b:pull,push', 'writer:w:1')
      expect([(await bearer(client, used)).status, (await bearer(client, used)).status]).toEqual([202, 202])
      const third = await bearer(client, used)
      expect([third.status, third.headers['www-authenticate']]).toEqual([
        401,
        expect.stringContaining('error="invalid_token"'),
      ])
    }),
  )

  test(
    'takes no token after its lifetime',
    withRegistry({auth: token({lifetime: 1})}, async (_registry, client) => {
      const old = await tokenFor(client, 'scope=repository:a/b:pull,push', 'writer:w:1')
      await sleep(5)
      expect((await bearer(client, old)).status).toBe(401)
    }),
  )

  test(
    'speaks OAuth2: password, then refresh token, then identity token',
    withRegistry({auth: token({identityTokens: {writer: 'id-1'}})}, async (_registry, client) => {
      const post = (form: Record<string, string>): Promise<RawAnswer> =>
        client.send('POST', '/token', {
          body: String(
            new URLSearchParams({scope: 'repository:a/b:pull,push', service: 'test-registry', ...form}),
          ),
          headers: {'content-type': 'application/x-www-form-urlencoded'},
        })
      const login = {grant_type: 'password', username: 'writer', password: 'w:1', access_type: 'offline'}
      const first = (await post(login)).json() as {refresh_token: string}
      for (const refresh_token of [first.refresh_token, 'id-1']) {
        const {access_token} = (await post({grant_type: 'refresh_token', refresh_token})).json() as {
          access_token: string
        }
        expect((await bearer(client, access_token)).status).toBe(202)
      }
      expect((await post({grant_type: 'refresh_token', refresh_token: 'stale'})).status).toBe(401)
      expect((await post({...login, password: 'wrong'})).status).toBe(401)
    }),
  )

  test(
    'leaves out the OAuth2 flow, the lifetime, and one of the two names of the token where it is told so',
    withRegistry(
      {auth: token({oauth2: 405, announcedLifetime: false, field: 'access_token', realm: 'other-origin'})},
      async (registry, client) => {
        expect((await client.send('POST', '/token', {body: 'grant_type=password'})).status).toBe(405)
        const answer = await client.send('GET', `${registry.otherOrigin}/token`, {
          headers: basic('writer:w:1'),
        })
        expect(Object.keys(answer.json() as object).toSorted()).toEqual(['access_token', 'issued_at'])
        const challenge = (await client.send('GET', '/v2/')).headers['www-authenticate']
        expect(challenge).toContain(`realm="${registry.otherOrigin}/token"`)
      },
    ),
  )
})

describe('TLS', () => {
  test('is trusted with its CA alone, and asks for a client certificate where it has a CA for them', async () => {
    const authority = await makeAuthority()
    const tls = await authority.issue({hosts: ['127.0.0.1', 'localhost']})
    const {ca} = authority
    await using registry = await startRegistry({tls: {...tls, clientCa: ca}})
    await using stranger = rawClient(registry.url)
    await expect(stranger.send('GET', '/v2/')).rejects.toThrow(/unable to verify|self-signed/)
    await using anonymous = rawClient(registry.url, {ca})
    await expect(anonymous.send('GET', '/v2/')).rejects.toThrow(/certificate required|ECONNRESET|closed/)
    await using known = rawClient(registry.url, {ca, ...(await authority.issueClient({name: 'node'}))})
    expect((await known.send('GET', '/v2/')).status).toBe(200)
    const expired = await authority.issue({hosts: ['127.0.0.1'], expired: true})
    await using late = await startRegistry({tls: expired})
    await using client = rawClient(late.url, {ca})
    await expect(client.send('GET', '/v2/')).rejects.toThrow('expired')
  })

  test('leaves no token in what a record shows', async () => {
    await using registry = await startRegistry()
    await using client = rawClient(registry.url)
    await client.send('GET', `/v2/a/b/blobs/${digestOf(Buffer.from('x'))}`, {headers: basic('u:secret')})
    const [record] = registry.requests
    expect([record?.headers.authorization, record?.authorization]).toEqual([
      'Basic',
      basic('u:secret')['authorization'],
    ])
  })
})
