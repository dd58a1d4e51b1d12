import {randomInt} from 'node:crypto'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import * as fc from 'fast-check'
import {authorizing} from '#src/auth/authorize.js'
import type {Credential} from '#src/auth/credential.js'
import {followRedirects} from '#src/http/redirects.js'
import type {HttpRequest} from '#src/http/send.js'
import {createTransport, type Transport} from '#src/http/undici.js'
import {limits} from '#src/model/index.js'
import {bob, clientOf, get, scripted, startRegistry, type Listening} from './auth-servers.js'
import {startScripted, type Answer, type Script} from '../../../test/kit/scripted-server.js'

const SECRETS: readonly Credential[] = [
  {kind: 'basic', username: 'bob', password: 'S3cret-password'},
  {kind: 'identity-token', token: 'S3cret-refresh'},
  {kind: 'bearer', token: 'S3cret-bearer'},
]
const GRANTED = 'S3cret-granted'

/** A server that does as it is told; what each saw is looked through for secrets. */
interface Actor extends Listening {
  readonly seen: string[]
  script: Script
}

async function actor(): Promise<Actor> {
  const seen: string[] = []
  const self: {readonly seen: string[]; script: Script} = {seen, script: () => ({})}
  const listening = await startScripted((asked) => {
    const {method, path, headers, body} = asked
    const {authorization = ''} = headers
    const plain = authorization.startsWith('Basic ')
      ? Buffer.from(authorization.slice(6), 'base64').toString()
      : authorization
    seen.push([method, path, plain, body.toString(), JSON.stringify(headers)].join(' '))
    return self.script(asked)
  })
  return Object.assign(self, listening)
}

describe('a credential', () => {
  const actors: Actor[] = []
  let transport: Transport
  beforeAll(async () => {
    for (let count = 0; count < 4; count += 1) actors.push(await actor())
    transport = createTransport({registry: 'registry.invalid', side: 'target', plainHttp: true})
  })
  afterAll(async () => {
    await transport.close()
    await Promise.all(actors.map((one) => one.close()))
  })

  const redirect = fc.record({
    from: fc.constantFrom('registry', 'realm', 'outside'),
    to: fc.nat({max: 3}),
    status: fc.constantFrom(301, 302, 303, 307, 308),
  })
  const world = fc.record({
    credential: fc.constantFrom(...SECRETS),
    challenge: fc.constantFrom('basic', 'bearer', 'both'),
    realm: fc.nat({max: 3}),
    realmForm: fc.constantFrom('plain', 'user', 'case', 'path'),
    redirects: fc.array(redirect, {maxLength: 3}),
    requests: fc.array(
      fc.record({
        to: fc.nat({max: 3}),
        method: fc.constantFrom<HttpRequest['method'][]>('GET', 'POST', 'HEAD'),
        anonymous: fc.boolean(),
      }),
      {minLength: 1, maxLength: 4},
    ),
  })
  const seed = randomInt(2 ** 31)

  it(`is never seen by another origin than the registry's and its realm's (seed ${seed})`, async () => {
    const check = async (
      plan: typeof world extends fc.Arbitrary<infer Plan> ? Plan : never,
    ): Promise<void> => {
      const [registry, realm] = [actors[0], actors[plan.realm]]
      if (registry === undefined || realm === undefined) throw new Error('no servers')
      for (const one of actors) one.seen.length = 0
      const realmUrl = {
        plain: `${realm.origin}/token`,
        user: `http://bob:x@${realm.host}/token`,
        case: `HTTP://${realm.host}/token`,
        path: `${realm.origin}/token?a=1#b`,
      }[plan.realmForm]
      const challenges = [
        ...(plan.challenge === 'bearer' ? [] : ['Basic realm="r"']),
        ...(plan.challenge === 'basic' ? [] : [`Bearer realm="${realmUrl}",service="s"`]),
      ]
      const moved = new Map(
        plan.redirects.map(({from, to, status}) => [from, {to: actors[to]?.origin, status}]),
      )
      for (const one of actors) {
        one.script = ({path, headers}) => {
          const isToken = path.startsWith('/token')
          const role = isToken ? 'realm' : one === registry ? 'registry' : 'outside'
          const away = moved.get(role)
          if (role === 'registry' && headers.authorization === undefined)
            return {status: 401, headers: {'www-authenticate': challenges}}
          if (away !== undefined) return {status: away.status, headers: {location: `${away.to}/elsewhere`}}
          return isToken ? {json: {token: GRANTED}} : {body: 'content'}
        }
      }
      const send = followRedirects()(
        authorizing({
          origin: registry.origin,
          registry: registry.host,
          side: 'target',
          credentials: async () => plan.credential,
          tokenSend: transport.send,
        })(transport.send),
      )
      for (const {to, method, anonymous} of plan.requests) {
        const request: HttpRequest = {
          method,
          url: {origin: actors[to]?.origin ?? '', path: '/v2/a/x'},
          scopes: ['repository:a:pull'],
          anonymous: anonymous ? anonymous : undefined,
        }
        const outcome = await send(request).then(
          async (response) => {
            await response.discard()
            return ''
          },
          (error: unknown) => `${String(error)} ${JSON.stringify(error)}`,
        )
        expect(outcome).not.toContain('S3cret')
      }
      // The registry may see its credential on any request, the realm on token requests, nobody else anywhere.
      const leaks = actors
        .filter((one) => one !== registry)
        .flatMap((one) => one.seen.filter((text) => one !== realm || !text.includes(' /token')))
        .filter((text) => text.includes('S3cret'))
      expect(leaks).toEqual([])
    }
    await fc.assert(fc.asyncProperty(world, check), {numRuns: 150, seed})
  })
})

describe('what a hostile token server answers', () => {
  const secret = bob.password
  it.each<[string, Answer, string, RegExp]>([
    ['a server error', {status: 503, body: '<html>'}, 'REGISTRY_FAILED', /HTTP 503$/],
    ['too many requests', {status: 429}, 'RATE_LIMITED', /HTTP 429$/],
    ['nothing there', {status: 404}, 'PROTOCOL', /HTTP 404$/],
    ['a page', {body: '<html>hello</html>'}, 'PROTOCOL', /holds no token/],
    ['JSON of another kind', {json: {token: 5}}, 'PROTOCOL', /holds no token/],
    ['null', {json: null}, 'PROTOCOL', /holds no token/],
    ['a token that would split a header', {json: {token: 'a\r\nb: c'}}, 'PROTOCOL', /holds no token/],
    ['an endless body', {body: 'x'.repeat(limits.tokenBodyBytes + 1)}, 'LIMIT_EXCEEDED', /over the limit/],
    ['a redirect', {status: 307, headers: {location: 'http://127.0.0.1:1/'}}, 'PROTOCOL', /redirect/],
    ['no answer', 'hang-up', 'UNREACHABLE', /token server 127/],
    ['the password', {status: 400, json: {message: `no ${secret}, bob`}}, 'PROTOCOL', /HTTP 400$/],
    [
      'text that a terminal would act on',
      {status: 401, json: {details: 'no \u001b[31mway'}},
      'AUTH_FAILED',
      /: no \\x1b\[31mway$/,
    ],
  ])('%s becomes a clear error', async (_what, answer, code, message) => {
    const tokenServer = await startScripted({'*': answer})
    const challenge = `Bearer realm="${tokenServer.origin}/token",service="s"`
    const registry = await startRegistry({
      auth: {
        kind: 'bearer',
        tokenServer: {...tokenServer, seen: [], tokens: new Map(), rules: {} as never},
        challenge,
      },
    })
    const client = clientOf(registry, {credentials: scripted(bob)})
    try {
      const error: unknown = await client.send(get(registry, '/v2/a/x')).catch((error: unknown) => error)
      expect(error).toMatchObject({code, side: 'target', message: expect.stringMatching(message)})
      expect(String(error)).toContain(`token server ${tokenServer.host} of ${registry.host}`)
      expect(String(error)).not.toContain(secret)
    } finally {
      await client.close()
      await registry.close()
      await tokenServer.close()
    }
  })
})
