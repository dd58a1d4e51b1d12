import {describe, expect, it} from 'vitest'
import {bob, get, post, scripted, statusOf} from './auth-servers.js'
import {basic, useTokenServers} from './token-servers.js'
import type {CredentialProvider} from '#src/auth/credential.js'
import {MirrorError} from '#src/model/index.js'

const start = useTokenServers()

describe('a registry that asks for a token', () => {
  it('costs thirty parallel requests one token and one question', async () => {
    const credentials = scripted(bob)
    const {tokenServer, registry, client} = await start({credentials})
    const statuses = await Promise.all(
      Array.from({length: 30}, () => statusOf(client.send(get(registry, '/v2/a/b/x')))),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(credentials.asked).toHaveLength(1)
    expect(tokenServer.seen).toEqual([
      {
        method: 'GET',
        path: `/token?service=registry&scope=${encodeURIComponent('repository:a/b:pull')}&client_id=airgap-mirror`,
        authorization: basic('bob', 'pass:word'),
        body: '',
      },
    ])
    registry.seen.length = 0
    expect(await statusOf(client.send(get(registry, '/v2/a/b/x')))).toBe(200)
    expect(registry.seen.map(({authorization}) => authorization)).toEqual(['Bearer token-1'])
  })

  it('is asked once for each set of rights, in whatever order they are named', async () => {
    const {tokenServer, registry, client} = await start({credentials: scripted(bob)})
    const scopes = ['repository:a:pull,push', 'repository:b:pull']
    expect(await statusOf(client.send(get(registry, '/v2/a/x', {scopes})))).toBe(200)
    expect(await statusOf(client.send(get(registry, '/v2/a/x', {scopes: scopes.toReversed()})))).toBe(200)
    expect(await statusOf(client.send(get(registry, '/v2/b/x')))).toBe(200)
    expect([...tokenServer.tokens.values()]).toEqual([scopes, ['repository:b:pull']])
  })

  it('gives tokens to anybody where nobody is needed', async () => {
    const {tokenServer, registry, client} = await start({}, {anonymous: true})
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(tokenServer.seen[0]?.authorization).toBeUndefined()
  })

  it('makes the provider ask for a login once anonymous does not do', async () => {
    const credentials = scripted(undefined, bob)
    const {registry, client} = await start({credentials})
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(credentials.asked.map(({refused}) => refused)).toEqual([false, true])
    expect(credentials.asked[0]?.repository).toBe('a')
  })

  it('fails one repository alone where the others need no login', async () => {
    let asked = 0
    const credentials: CredentialProvider = async ({refused}) => {
      if (!refused) return undefined
      asked += 1
      throw new MirrorError('AUTH_REQUIRED', 'looked in: nowhere')
    }
    const {registry, client} = await start({credentials}, {anonymous: true}, {closed: /closed/})
    const closed = () => client.send(get(registry, '/v2/closed/x'))
    await expect(closed()).rejects.toThrow('looked in: nowhere')
    await expect(closed()).rejects.toThrow('looked in: nowhere')
    expect(asked).toBe(1)
    expect(await statusOf(client.send(get(registry, '/v2/open/x')))).toBe(200)
  })

  it('says that a credential is missing', async () => {
    const {registry, client} = await start({credentials: scripted(undefined)})
    await expect(client.send(get(registry, '/v2/a/x'))).rejects.toMatchObject({code: 'AUTH_REQUIRED'})
  })

  it('sees a wrong password once, however many repositories want a token', async () => {
    const credentials = scripted({...bob, password: 'Wr0ng-secret'})
    const {tokenServer, registry, client} = await start({credentials})
    const results = await Promise.allSettled(
      Array.from({length: 30}, (_, index) => client.send(get(registry, `/v2/a${index}/x`))),
    )
    const message = `token server ${tokenServer.host} of ${registry.host} refuses the user name "bob" from a test: bad login`
    expect(results[0]).toMatchObject({
      status: 'rejected',
      reason: {code: 'AUTH_FAILED', side: 'target', message},
    })
    for (const result of results)
      expect(result).toMatchObject({status: 'rejected', reason: {code: 'AUTH_FAILED'}})
    expect(tokenServer.seen).toHaveLength(1)
  })

  it('takes a token under its other name', async () => {
    const {registry, client} = await start({credentials: scripted(bob)}, {field: 'access_token'})
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
  })

  it('takes a ready token', async () => {
    const credentials = scripted({kind: 'bearer', token: 'ready'})
    const {tokenServer, registry, client} = await start({credentials})
    tokenServer.tokens.set('ready', ['repository:a:pull'])
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(tokenServer.seen).toHaveLength(0)
  })

  it('may ask for more than the request did, once', async () => {
    const extraScope = 'repository:base:pull'
    const {tokenServer, registry, client} = await start({credentials: scripted(bob)}, {}, {extraScope})
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect([...tokenServer.tokens.values()]).toEqual([
      ['repository:a:pull'],
      ['repository:a:pull', 'repository:base:pull'],
    ])
    registry.seen.length = 0
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(registry.seen).toHaveLength(1)
  })

  it('may name the scope of a request that knows none', async () => {
    const {tokenServer, registry, client} = await start({credentials: scripted(bob)})
    expect(await statusOf(client.send(get(registry, '/v2/a/x', {scopes: []})))).toBe(200)
    expect([...tokenServer.tokens.values()]).toEqual([['repository:a:pull']])
  })

  it('returns its 401 where the account lacks the right, and does not loop', async () => {
    const credentials = scripted(bob)
    const {tokenServer, registry, client} = await start({credentials}, {}, {closed: /closed/})
    expect(await statusOf(client.send(get(registry, '/v2/closed/x')))).toBe(401)
    expect(registry.seen).toHaveLength(2)
    expect(tokenServer.seen).toHaveLength(1)
    expect(credentials.asked).toHaveLength(1)
  })

  it('tells a refused anonymous request from a refused account', async () => {
    const {registry, client} = await start({}, {anonymous: true}, {closed: /closed/})
    expect(await client.send(get(registry, '/v2/closed/x'))).toMatchObject({status: 401, authorized: false})
  })
})

describe('a mount between two repositories', () => {
  const scopes = ['repository:to:pull,push', 'repository:from:pull']

  it('has one token for both', async () => {
    const {tokenServer, registry, client} = await start({credentials: scripted(bob)})
    expect(await statusOf(client.send(post(registry, '/v2/to/x', {scopes})))).toBe(200)
    const asked = new URL(tokenServer.seen[0]?.path ?? '', 'http://t').searchParams.getAll('scope')
    expect(asked).toEqual(['repository:from:pull', 'repository:to:pull,push'])
  })

  it('goes on with the right to push alone where the other one is denied', async () => {
    const allowed = (scope: string): boolean => scope.startsWith('repository:to:')
    const {tokenServer, registry, client} = await start({credentials: scripted(bob)}, {allowed})
    expect(await statusOf(client.send(post(registry, '/v2/to/x')))).toBe(200)
    expect(await statusOf(client.send(post(registry, '/v2/to/x', {scopes})))).toBe(200)
    expect([...tokenServer.tokens.values()].at(-1)).toEqual(['repository:to:pull,push'])
  })

  it('is denied where the account may not push either', async () => {
    const allowed = (scope: string): boolean => scope.startsWith('repository:ok:')
    const {registry, client} = await start({credentials: scripted(bob)}, {allowed})
    expect(await statusOf(client.send(post(registry, '/v2/ok/x')))).toBe(200)
    await expect(client.send(post(registry, '/v2/to/x', {scopes}))).rejects.toMatchObject({code: 'DENIED'})
    expect(await statusOf(client.send(post(registry, '/v2/ok/x')))).toBe(200)
  })
})
