import {describe, expect, it} from 'vitest'
import {bob, get, post, scripted, statusOf, type Client, type RegistryServer} from './auth-servers.js'
import {basic, useTokenServers} from './token-servers.js'
import type {Bytes} from '#src/model/index.js'

const start = useTokenServers()

describe('the life of a token', () => {
  it.each([
    ['80 % of what the server says', 1000, 799_000, 801_000],
    ['80 % of a minute where it says nothing', undefined, 47_000, 49_000],
    ['80 % of a minute where it says less', 5, 47_000, 49_000],
    ['80 % of a minute where it says nonsense', 'soon', 47_000, 49_000],
  ])('is %s', async (_what, expiresIn, before, after) => {
    let time = 1_000_000
    const {tokenServer, registry, client} = await start(
      {credentials: scripted(bob), now: () => time},
      {expiresIn},
    )
    const tokensAt = async (elapsed: number): Promise<number> => {
      time = 1_000_000 + elapsed
      expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
      return tokenServer.seen.length
    }
    expect([await tokensAt(0), await tokensAt(before), await tokensAt(after)]).toEqual([1, 1, 2])
  })

  it('may end in the middle of a run, for thirty requests at once', async () => {
    const {tokenServer, registry, client} = await start({credentials: scripted(bob)})
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    tokenServer.tokens.delete('token-1')
    tokenServer.tokens.set('of somebody else', [])
    const statuses = await Promise.all(
      Array.from({length: 30}, () => statusOf(client.send(get(registry, '/v2/a/x')))),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(tokenServer.seen).toHaveLength(2)
  })
})

describe('a stream', () => {
  const streamOf = (
    registry: RegistryServer,
    path: string,
  ): {opened: () => number; send: (client: Client) => Promise<number>} => {
    let opened = 0
    const stream: Bytes = {
      async *[Symbol.asyncIterator]() {
        opened += 1
        yield new Uint8Array([1])
      },
    }
    const request = {...post(registry, path), method: 'PATCH' as const, body: {stream, length: 1}}
    return {opened: () => opened, send: (client) => statusOf(client.send(request))}
  }

  it('is not opened before its token is there', async () => {
    const {registry, client} = await start({credentials: scripted(bob)})
    const {opened, send} = streamOf(registry, '/v2/a/x')
    expect(await send(client)).toBe(200)
    expect(opened()).toBe(1)
    expect(registry.seen.map(({method, authorization}) => [method, authorization])).toEqual([
      ['GET', undefined],
      ['GET', 'Bearer token-1'],
      ['PATCH', 'Bearer token-2'],
    ])
  })

  it('comes back with its 401 when the token was revoked, and has a new one the next time', async () => {
    const {tokenServer, registry, client} = await start({credentials: scripted(bob)})
    expect(await statusOf(client.send(post(registry, '/v2/a/x')))).toBe(200)
    tokenServer.tokens.clear()
    const first = streamOf(registry, '/v2/a/x')
    expect(await first.send(client)).toBe(401)
    expect(first.opened()).toBe(1)
    expect(await streamOf(registry, '/v2/a/x').send(client)).toBe(200)
  })

  it('has a token with half of its life to go', async () => {
    let time = 0
    const {tokenServer, registry, client} = await start({credentials: scripted(bob), now: () => time})
    expect(await statusOf(client.send(post(registry, '/v2/a/x')))).toBe(200)
    time = 31_000
    expect(await statusOf(client.send(post(registry, '/v2/a/x')))).toBe(200)
    expect(tokenServer.seen).toHaveLength(1)
    expect(await streamOf(registry, '/v2/a/x').send(client)).toBe(200)
    expect(tokenServer.seen).toHaveLength(2)
  })
})

describe('an identity token', () => {
  const credential = {kind: 'identity-token', token: 'refresh&me', username: '<token>'} as const

  it('is exchanged by POST', async () => {
    const {tokenServer, registry, client} = await start(
      {credentials: scripted(credential)},
      {identityTokens: new Set(['refresh&me'])},
    )
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(tokenServer.seen[0]).toMatchObject({method: 'POST', path: '/token', authorization: undefined})
    expect(Object.fromEntries(new URLSearchParams(tokenServer.seen[0]?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh&me',
      service: 'registry',
      client_id: 'airgap-mirror',
      scope: 'repository:a:pull',
    })
  })

  it('goes as a Basic password where the server has no POST', async () => {
    const {tokenServer, registry, client} = await start(
      {credentials: scripted(credential)},
      {identityTokens: new Set(['refresh&me']), post: false},
    )
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(tokenServer.seen.map(({method, authorization}) => [method, authorization])).toEqual([
      ['POST', undefined],
      ['GET', basic('<token>', 'refresh&me')],
    ])
  })

  it('that is refused is not shown', async () => {
    const {registry, client} = await start({credentials: scripted(credential)})
    const error: unknown = await client.send(get(registry, '/v2/a/x')).catch((error: unknown) => error)
    expect(error).toMatchObject({code: 'AUTH_FAILED'})
    expect(String(error)).toContain('the identity token')
    expect(String(error)).not.toContain('refresh')
  })
})
