import {afterEach, describe, expect, test} from 'vitest'
import {openRegistry, staticCredentials, type CredentialProvider, type Registry} from '#src/index.js'
import {digestOf, mediaTypes, parseManifest} from '#src/model/index.js'
import {
  startScripted,
  type Answer,
  type Asked,
  type Routes,
  type ScriptedServer,
} from '../../../test/kit/scripted-server.js'
import {failureOf, keeper} from './http-loopback.js'
import {blobOf} from './registry-kit.js'

const {kept, closeAll} = keeper()
afterEach(closeAll)

const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: []}))
const manifest = parseManifest(bytes)
const login = staticCredentials({username: 'bob', password: 'pass'})
const BASIC = `Basic ${Buffer.from('bob:pass').toString('base64')}`

async function served(routes: Routes): Promise<ScriptedServer> {
  return kept(await startScripted(routes))
}

function shown({method, path, headers: {authorization}}: Asked) {
  return {method, path, authorization}
}

function challenge(text: string): Answer {
  return {status: 401, headers: {'www-authenticate': text}, body: '{}'}
}

/** Sends to the token server at the same address. */
function bearer({headers: {host}}: Asked, parameters = ''): Answer {
  return challenge(`Bearer realm="http://${host}/token"${parameters}`)
}

function connect({host}: ScriptedServer, credentials?: CredentialProvider): Registry {
  const registry = openRegistry({
    registry: host,
    side: 'target',
    plainHttp: true,
    retryMaxWait: 20,
    credentials,
  })
  kept({close: async () => registry[Symbol.asyncDispose]()})
  return registry
}

function at({host}: ScriptedServer) {
  return {registry: host, repository: 'team/app', tag: 'v1'}
}

describe('a challenge that names another repository than the request', () => {
  for (const status of [401, 403]) {
    for (const page of ['/v2/', 'every page', 'every page, as insufficient scope']) {
      test(`of ${page} ends without a login, though the token server answers ${status} for ever`, async () => {
        const error = page.includes('insufficient') ? ',error="insufficient_scope"' : ''
        const server = await served({
          '/token*': {status, json: {}},
          '*': (asked) => {
            const scope = page === '/v2/' && asked.path !== '/v2/' ? 'team/app' : 'other/thing'
            return bearer(asked, `,service="s",scope="repository:${scope}:pull"${error}`)
          },
        })
        const registry = connect(server)
        const ping = await failureOf(registry.ping())
        expect(ping.code).toBe('AUTH_REQUIRED')
        const {code} = await failureOf(registry.resolve(at(server)))
        expect(code).toBe('AUTH_REQUIRED')
        expect(server.asked.length).toBeLessThan(20)
      })
    }
  }

  test('does not end a push with a login whose first real scope is granted', async () => {
    const server = await served({
      '/token*': ({path, headers}) => {
        const isReal = decodeURIComponent(path).includes('repository:team/app:')
        return isReal && headers.authorization === BASIC ? {json: {token: 't'}} : {status: 401, json: {}}
      },
      '*': (asked) => {
        if (asked.headers.authorization === 'Bearer t') return {status: 201}
        const scope = asked.path === '/v2/' ? 'repository:placeholder:pull' : 'repository:team/app:pull,push'
        return bearer(asked, `,service="s",scope="${scope}"`)
      },
    })
    const registry = connect(server, login)
    await registry.ping()
    await registry.putManifest(at(server), manifest)
    expect(server.asked.filter(({path}) => path.startsWith('/token')).length).toBe(2)
  })

  test('that grants nothing to a login is the failure of the first real request', async () => {
    const server = await served({
      '/token*': {status: 401, json: {}},
      '*': (asked) => bearer(asked, ',scope="repository:placeholder:pull"'),
    })
    const registry = connect(server, login)
    await registry.ping()
    const {code} = await failureOf(registry.resolve(at(server)))
    expect(code).toBe('AUTH_FAILED')
    expect(server.asked.length).toBeLessThan(10)
  })
})

describe('a registry that challenges nobody', () => {
  for (const status of [401, 403, 404]) {
    test(`and answers ${status} to those without a login is sent the login that was given`, async () => {
      const headers = {'content-type': mediaTypes.ociIndex, 'docker-content-digest': digestOf(bytes)}
      const server = await served({
        '/v2/': {json: {}},
        '*': (asked) => (asked.headers.authorization === BASIC ? {headers, body: bytes} : {status}),
      })
      const registry = connect(server, login)
      await registry.ping()
      const target = at(server)
      expect((await registry.manifest(target))?.bytes.length).toBe(bytes.length)
      const before = server.asked.length
      await registry.manifest(target)
      expect(server.asked.slice(before).map(shown)).toEqual([
        {method: 'GET', path: '/v2/team/app/manifests/v1', authorization: BASIC},
      ])
    })
  }

  test('but on the 200 of its base page is sent the login from then on', async () => {
    const server = await served({
      '/v2/': {headers: {'www-authenticate': 'Basic realm="zot"'}, body: '{}'},
      '*': ({headers}) => ({status: headers.authorization === BASIC ? 201 : 404}),
    })
    const registry = connect(server, login)
    await registry.ping()
    await registry.putManifest(at(server), manifest)
    expect(server.asked.map((asked) => shown(asked).authorization)).toEqual([undefined, BASIC])
  })

  test('and refuses the login as well is told as one that refuses it', async () => {
    const server = await served({'/v2/': {json: {}}, '*': {status: 401, json: {}}})
    const registry = connect(server, login)
    await registry.ping()
    const {code} = await failureOf(registry.resolve(at(server)))
    expect(code).toBe('AUTH_FAILED')
  })

  test('and answers a login with 401 instead of 403 is not sent it any more', async () => {
    const server = await served({
      '/v2/': {json: {}},
      '*': ({headers}) => ({status: headers.authorization === undefined ? 403 : 401, json: {}}),
    })
    const registry = connect(server, login)
    await registry.ping()
    await failureOf(registry.resolve(at(server)))
    const before = server.asked.length
    const {code} = await failureOf(registry.resolve(at(server)))
    expect(code).toBe('DENIED')
    expect(new Set(server.asked.slice(before).map((asked) => shown(asked).authorization))).toEqual(
      new Set([undefined]),
    )
  })

  test('is asked a few times only with the login for what is absent', async () => {
    const server = await served({'/v2/': {json: {}}, '*': {status: 404, json: {}}})
    const registry = connect(server, login)
    await registry.ping()
    const target = at(server)
    await Promise.all(Array.from({length: 40}, (_, index) => registry.resolve({...target, tag: `v${index}`})))
    expect(server.asked.length).toBeLessThan(60)
  })

  test('is never sent a login without there being one', async () => {
    const server = await served({'/v2/': {json: {}}, '*': {status: 401, json: {}}})
    const registry = connect(server)
    const {code} = await failureOf(registry.resolve(at(server)))
    expect(code).toBe('AUTH_REQUIRED')
    // A GET follows a HEAD, whose refusal has no words.
    expect(server.asked.length).toBe(2)
  })
})

describe('a registry that answers a token with a challenge for Basic, as Harbor does', () => {
  /** Knows each token for two requests only. */
  const forgetful = (onMount: Routes = {}): Routes => {
    const uses = new Map<string, number>()
    let tokens = 0
    return {
      '/token*': ({headers}) =>
        headers.authorization === BASIC ? {json: {token: `t${++tokens}`}} : {status: 401, json: {}},
      ...onMount,
      '*': (asked) => {
        const {authorization = ''} = asked.headers
        const used = uses.get(authorization) ?? 0
        uses.set(authorization, used + 1)
        const isToken = authorization.startsWith('Bearer ')
        if (isToken && used < 2) return {status: asked.method === 'HEAD' ? 404 : 201}
        return isToken
          ? challenge('Basic realm="harbor"')
          : bearer(asked, ',service="harbor",scope="repository:team/app:pull,push"')
      },
    }
  }

  test('gets a new token, and the password goes to the token server alone', async () => {
    const server = await served(forgetful())
    const registry = connect(server, login)
    const target = at(server)
    for (let time = 0; time < 7; time++) await registry.putManifest(target, manifest)
    const withPassword = server.asked.filter(({headers}) => headers.authorization === BASIC)
    expect(withPassword.every(({path}) => path.startsWith('/token'))).toBe(true)
    expect(server.asked.filter(({path}) => path.startsWith('/token'))).toHaveLength(4)
  })

  test('and refuses a mount so changes nothing for other requests', async () => {
    const server = await served(forgetful({'*mount=*': challenge('Basic realm="harbor"')}))
    const registry = connect(server, login)
    const target = at(server)
    await registry.putManifest(target, manifest)
    await registry
      .putBlob('team/app', blobOf(bytes), {mountFrom: ['team/other'], absent: true})
      .catch(() => {})
    await registry.putManifest(target, manifest)
    const passwords = server.asked.filter(
      ({path, headers}) => headers.authorization === BASIC && !path.startsWith('/token'),
    )
    expect(passwords).toEqual([])
  })
})

describe('an identity token', () => {
  test.each([
    [400, '{"error":"unsupported_grant_type"}'],
    [401, '{}'],
    [415, ''],
    [501, ''],
  ])('that is answered with %d is sent as a password by GET', async (status, body) => {
    const server = await served({
      'POST /token*': {status, body},
      '/token*': {json: {token: 't'}},
      '*': (asked) => (asked.headers.authorization === 'Bearer t' ? {status: 201} : bearer(asked)),
    })
    const registry = connect(server, async () => ({kind: 'identity-token', token: 'secret'}))
    await registry.putManifest(at(server), manifest)
    const token = server.asked.filter(({path}) => path.startsWith('/token')).map(({method}) => method)
    expect(token).toEqual(['POST', 'GET'])
  })
})
