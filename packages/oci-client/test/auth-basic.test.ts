import {afterEach, describe, expect, it} from 'vitest'
import {staticCredentials} from '#src/auth/static-credentials.js'
import {
  bob,
  clientOf,
  get,
  post,
  scripted,
  startRegistry,
  statusOf,
  type Client,
  type RegistryRules,
  type RegistryServer,
} from './auth-servers.js'
import type {AuthorizeOptions} from '#src/auth/authorize.js'

const open: {close(): Promise<void>}[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function start(
  options: Partial<AuthorizeOptions>,
  rules: Partial<RegistryRules> = {auth: {kind: 'basic'}},
): Promise<{registry: RegistryServer; client: Client}> {
  const registry = await startRegistry(rules)
  const client = clientOf(registry, options)
  open.push(client, registry)
  return {registry, client}
}

const wrong = {kind: 'basic', username: 'bob', password: 'Wr0ng-secret', origin: 'a file'} as const

describe('a registry that asks for Basic', () => {
  it('costs thirty parallel requests one question, and later ones no refusal', async () => {
    const credentials = scripted(bob)
    const {registry, client} = await start({credentials})
    const paths = Array.from({length: 30}, (_, index) => `/v2/a${index}/x`)
    const statuses = await Promise.all(paths.map((path) => statusOf(client.send(get(registry, path)))))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(credentials.asked).toHaveLength(1)
    expect(credentials.asked[0]).toMatchObject({registry: registry.host, refused: false})
    registry.seen.length = 0
    expect(await statusOf(client.send(post(registry, '/v2/b/x')))).toBe(200)
    expect(registry.seen).toHaveLength(1)
    expect(registry.seen[0]?.authorization).toBe(`Basic ${Buffer.from('bob:pass:word').toString('base64')}`)
  })

  it('is asked without a credential where it asks for none', async () => {
    const credentials = scripted(bob)
    const {registry, client} = await start({credentials}, {auth: {kind: 'none'}})
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(credentials.asked).toHaveLength(0)
    expect(registry.seen[0]?.authorization).toBeUndefined()
  })

  it('gets nothing along with a request that a redirect led back to it', async () => {
    const {registry, client} = await start({credentials: scripted(bob)})
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(await statusOf(client.send(get(registry, '/v2/a/x', {anonymous: true})))).toBe(401)
    expect(registry.seen.at(-1)?.authorization).toBeUndefined()
  })

  it('sees a wrong password once, however many requests want to use it', async () => {
    const credentials = scripted(wrong)
    const {registry, client} = await start({credentials})
    const results = await Promise.allSettled(
      Array.from({length: 30}, (_, index) => client.send(get(registry, `/v2/a${index}/x`))),
    )
    for (const result of results) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: {
          code: 'AUTH_FAILED',
          side: 'target',
          message: `${registry.host} refuses the user name "bob" from a file`,
        },
      })
    }
    await expect(client.send(get(registry, '/v2/late/x'))).rejects.toMatchObject({code: 'AUTH_FAILED'})
    expect(registry.seen.filter(({authorization}) => authorization !== undefined)).toHaveLength(1)
    expect(credentials.asked.map(({refused}) => refused)).toEqual([false, true])
    expect(JSON.stringify(results)).not.toContain(wrong.password)
  })

  it('lets a prompt try again', async () => {
    const credentials = scripted(wrong, {...wrong, password: 'other'}, bob)
    const {registry, client} = await start({credentials})
    const statuses = await Promise.all(
      ['/v2/a/x', '/v2/b/x', '/v2/c/x'].map((path) => statusOf(client.send(get(registry, path)))),
    )
    expect(statuses).toEqual([200, 200, 200])
    expect(credentials.asked.map(({refused}) => refused)).toEqual([false, true, true])
  })

  it('ends a prompt that never gets it right', async () => {
    let tries = 0
    const credentials = async () => ({...wrong, password: `wrong ${(tries += 1)}`})
    const {registry, client} = await start({credentials})
    await expect(client.send(get(registry, '/v2/a/x'))).rejects.toMatchObject({code: 'AUTH_FAILED'})
    expect(tries).toBe(3)
  })

  it('says that a credential is missing, after the provider had its second chance', async () => {
    const credentials = scripted(undefined)
    const {registry, client} = await start({credentials})
    await expect(client.send(get(registry, '/v2/a/x'))).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      message: `${registry.host} asks for a credential and none was found`,
    })
    expect(credentials.asked.map(({refused}) => refused)).toEqual([false, true])
  })

  it('says so without any provider', async () => {
    const {registry, client} = await start({})
    await expect(client.send(get(registry, '/v2/a/x'))).rejects.toMatchObject({code: 'AUTH_REQUIRED'})
  })

  it('returns the 401 of one closed repository, and asks nobody for another password', async () => {
    const credentials = scripted(bob)
    const {registry, client} = await start({credentials}, {auth: {kind: 'basic'}, closed: /closed/})
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    const response = await client.send(get(registry, '/v2/closed/x'))
    expect(response).toMatchObject({status: 401, authorized: true})
    expect(Buffer.from(await response.read(100)).toString()).toBe('{"errors":[]}')
    expect(credentials.asked).toHaveLength(1)
  })

  it('gets a new password in the middle of a run', async () => {
    const credentials = scripted(bob, {...bob, password: 'renewed'})
    const {registry, client} = await start({credentials})
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    registry.rules.accounts['bob'] = 'renewed'
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(credentials.asked.map(({refused}) => refused)).toEqual([false, true])
  })

  it('passes on what the provider throws, and asks it no more', async () => {
    let asked = 0
    const credentials = async (): Promise<never> => {
      asked += 1
      throw Object.assign(new Error('no terminal'), {name: 'MirrorError', code: 'AUTH_REQUIRED'})
    }
    const {registry, client} = await start({credentials})
    const requests = Array.from({length: 5}, () => client.send(get(registry, '/v2/a/x')))
    for (const result of await Promise.allSettled(requests)) {
      expect(result).toMatchObject({status: 'rejected', reason: {message: 'no terminal'}})
    }
    await expect(client.send(get(registry, '/v2/b/x'))).rejects.toThrow('no terminal')
    expect(asked).toBe(1)
  })

  it('leaves the others alone when one request is given up while the provider is asked', async () => {
    let answer = (_credential: typeof bob): void => {}
    const answered = new Promise<typeof bob>((resolve) => {
      answer = resolve
    })
    const credentials = () => answered
    const {registry, client} = await start({credentials})
    const giveUp = new AbortController()
    const first = client.send(get(registry, '/v2/a/x', {signal: giveUp.signal}))
    const second = statusOf(client.send(get(registry, '/v2/a/x')))
    await new Promise((resolve) => setTimeout(resolve, 50))
    giveUp.abort()
    await expect(first).rejects.toMatchObject({code: 'CANCELLED'})
    answer(bob)
    expect(await second).toBe(200)
  })

  it('cannot be given an identity token', async () => {
    const {registry, client} = await start({
      credentials: scripted({kind: 'identity-token', token: 'secret-1'}),
    })
    const error = await client.send(get(registry, '/v2/a/x')).catch((error: unknown) => error)
    expect(error).toMatchObject({code: 'CREDENTIALS_INVALID'})
    expect(String(error)).not.toContain('secret-1')
  })

  it('keeps what holds for one repository apart from the others', async () => {
    const credentials = async ({repository}: {readonly repository?: string}) => ({
      ...bob,
      username: repository ?? '',
      repositoryOnly: true,
    })
    const {registry, client} = await start(
      {credentials},
      {auth: {kind: 'basic'}, accounts: {a: 'pass:word', b: 'pass:word'}},
    )
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
    expect(await statusOf(client.send(get(registry, '/v2/b/x')))).toBe(200)
    const users = registry.seen
      .filter(({authorization}) => authorization !== undefined)
      .map(({authorization}) => Buffer.from(authorization?.slice(6) ?? '', 'base64').toString())
    expect(users).toEqual(['a:pass:word', 'b:pass:word'])
  })

  it('takes a user name and a password that were given', async () => {
    const {registry, client} = await start({
      credentials: staticCredentials({username: 'bob', password: 'pass:word'}),
    })
    expect(await statusOf(client.send(get(registry, '/v2/a/x')))).toBe(200)
  })
})
