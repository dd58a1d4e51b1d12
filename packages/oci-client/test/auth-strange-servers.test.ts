import type {RequestListener} from 'node:http'
import {afterEach, describe, expect, test} from 'vitest'
import {openRegistry, staticCredentials, type CredentialProvider, type Registry} from '#src/index.js'
import {digestOf, mediaTypes, parseManifest} from '#src/model/index.js'
import {failureOf, keeper, serve, type Listening} from './http-loopback.js'

const {kept, closeAll} = keeper()
afterEach(closeAll)

const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: []}))
const manifest = parseManifest(bytes)
const login = staticCredentials({username: 'bob', password: 'pass'})
const BASIC = `Basic ${Buffer.from('bob:pass').toString('base64')}`

interface Seen {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
}

interface Served extends Listening {
  readonly seen: Seen[]
}

async function served(handler: RequestListener): Promise<Served> {
  const seen: Seen[] = []
  const server = kept(
    await serve((request, response) => {
      const {method = '', url: path = '', headers} = request
      seen.push({method, path, authorization: headers.authorization})
      request.resume().once('end', () => handler(request, response))
    }),
  )
  return {...server, seen}
}

function connect(port: number, credentials?: CredentialProvider): Registry {
  const registry = openRegistry({
    registry: `127.0.0.1:${port}`,
    side: 'target',
    plainHttp: true,
    retryMaxWait: 20,
    credentials,
  })
  kept({close: async () => registry[Symbol.asyncDispose]()})
  return registry
}

function at(registry: string, tag = 'v1') {
  return {registry, repository: 'team/app', tag}
}

describe('a challenge that names another repository than the request', () => {
  for (const status of [401, 403]) {
    for (const page of ['/v2/', 'every page', 'every page, as insufficient scope']) {
      test(`of ${page} ends without a login, though the token server answers ${status} for ever`, async () => {
        const server = await served((request, response) => {
          const realm = `http://${request.headers.host}/token`
          if (request.url?.startsWith('/token') === true) return response.writeHead(status).end('{}')
          const scope = page === '/v2/' && request.url !== '/v2/' ? 'team/app' : 'other/thing'
          const error = page.includes('insufficient') ? ',error="insufficient_scope"' : ''
          const challenge = `Bearer realm="${realm}",service="s",scope="repository:${scope}:pull"${error}`
          return response.writeHead(401, {'www-authenticate': challenge}).end('{}')
        })
        const registry = connect(server.port)
        const ping = await failureOf(registry.ping())
        expect(ping.code).toBe('AUTH_REQUIRED')
        const {code} = await failureOf(registry.resolve(at(`127.0.0.1:${server.port}`)))
        expect(code).toBe('AUTH_REQUIRED')
        expect(server.seen.length).toBeLessThan(20)
      })
    }
  }

  test('does not end a push with a login whose first real scope is granted', async () => {
    const server = await served((request, response) => {
      const url = request.url ?? ''
      if (url.startsWith('/token')) {
        const isReal = decodeURIComponent(url).includes('repository:team/app:')
        return isReal && request.headers.authorization === BASIC
          ? response.end('{"token":"t"}')
          : response.writeHead(401).end('{}')
      }
      if (request.headers.authorization === 'Bearer t') return response.writeHead(201).end()
      const scope = url === '/v2/' ? 'repository:placeholder:pull' : 'repository:team/app:pull,push'
      const challenge = `Bearer realm="http://${request.headers.host}/token",service="s",scope="${scope}"`
      return response.writeHead(401, {'www-authenticate': challenge}).end('{}')
    })
    const registry = connect(server.port, login)
    await registry.ping()
    await registry.putManifest(at(`127.0.0.1:${server.port}`), manifest)
    expect(server.seen.filter(({path}) => path.startsWith('/token')).length).toBe(2)
  })

  test('that grants nothing to a login is the failure of the first real request', async () => {
    const server = await served((request, response) => {
      if (request.url?.startsWith('/token') === true) return response.writeHead(401).end('{}')
      const challenge = `Bearer realm="http://${request.headers.host}/token",scope="repository:placeholder:pull"`
      return response.writeHead(401, {'www-authenticate': challenge}).end('{}')
    })
    const registry = connect(server.port, login)
    await registry.ping()
    const {code} = await failureOf(registry.resolve(at(`127.0.0.1:${server.port}`)))
    expect(code).toBe('AUTH_FAILED')
    expect(server.seen.length).toBeLessThan(10)
  })
})

describe('a registry that challenges nobody', () => {
  for (const status of [401, 403, 404]) {
    test(`and answers ${status} to those without a login is sent the login that was given`, async () => {
      const server = await served((request, response) => {
        if (request.url === '/v2/') return response.end('{}')
        if (request.headers.authorization !== BASIC) return response.writeHead(status).end()
        return response
          .writeHead(200, {'content-type': mediaTypes.ociIndex, 'docker-content-digest': digestOf(bytes)})
          .end(bytes)
      })
      const registry = connect(server.port, login)
      await registry.ping()
      const target = at(`127.0.0.1:${server.port}`)
      expect((await registry.manifest(target))?.bytes.length).toBe(bytes.length)
      const before = server.seen.length
      await registry.manifest(target)
      expect(server.seen.slice(before)).toEqual([
        {method: 'GET', path: '/v2/team/app/manifests/v1', authorization: BASIC},
      ])
    })
  }

  test('but on the 200 of its base page is sent the login from then on', async () => {
    const server = await served((request, response) => {
      if (request.url === '/v2/') {
        return response.writeHead(200, {'www-authenticate': 'Basic realm="zot"'}).end('{}')
      }
      return response.writeHead(request.headers.authorization === BASIC ? 201 : 404).end()
    })
    const registry = connect(server.port, login)
    await registry.ping()
    await registry.putManifest(at(`127.0.0.1:${server.port}`), manifest)
    expect(server.seen.map(({authorization}) => authorization)).toEqual([undefined, BASIC])
  })

  test('and refuses the login as well is told as one that refuses it', async () => {
    const server = await served((request, response) => {
      return response.writeHead(request.url === '/v2/' ? 200 : 401).end('{}')
    })
    const registry = connect(server.port, login)
    await registry.ping()
    const {code} = await failureOf(registry.resolve(at(`127.0.0.1:${server.port}`)))
    expect(code).toBe('AUTH_FAILED')
  })

  test('is asked a few times only with the login for what is absent', async () => {
    const server = await served((request, response) => {
      return response.writeHead(request.url === '/v2/' ? 200 : 404).end('{}')
    })
    const registry = connect(server.port, login)
    await registry.ping()
    const target = at(`127.0.0.1:${server.port}`)
    await Promise.all(Array.from({length: 40}, (_, index) => registry.resolve({...target, tag: `v${index}`})))
    expect(server.seen.length).toBeLessThan(60)
  })

  test('is never sent a login without there being one', async () => {
    const server = await served((request, response) => {
      return response.writeHead(request.url === '/v2/' ? 200 : 401).end('{}')
    })
    const registry = connect(server.port)
    const {code} = await failureOf(registry.resolve(at(`127.0.0.1:${server.port}`)))
    expect(code).toBe('AUTH_REQUIRED')
    // A GET follows a HEAD, whose refusal has no words.
    expect(server.seen.length).toBe(2)
  })
})

describe('a registry that answers a token with a challenge for Basic, as Harbor does', () => {
  /** Knows each token for two requests only. */
  const forgetful = (onMount?: RequestListener): RequestListener => {
    const uses = new Map<string, number>()
    let tokens = 0
    return (request, response) => {
      const {authorization = '', host} = request.headers
      if (request.url?.startsWith('/token') === true) {
        if (authorization !== BASIC) return response.writeHead(401).end('{}')
        return response.end(JSON.stringify({token: `t${++tokens}`}))
      }
      if (request.url?.includes('mount=') === true && onMount !== undefined && authorization !== '')
        return onMount(request, response)
      const used = uses.get(authorization) ?? 0
      uses.set(authorization, used + 1)
      if (authorization.startsWith('Bearer ') && used < 2) {
        return request.method === 'HEAD' ? response.writeHead(404).end() : response.writeHead(201).end()
      }
      const challenge = authorization.startsWith('Bearer ')
        ? 'Basic realm="harbor"'
        : `Bearer realm="http://${host}/token",service="harbor",scope="repository:team/app:pull,push"`
      return response.writeHead(401, {'www-authenticate': challenge}).end('{}')
    }
  }

  test('gets a new token, and the password goes to the token server alone', async () => {
    const server = await served(forgetful())
    const registry = connect(server.port, login)
    const target = at(`127.0.0.1:${server.port}`)
    for (let time = 0; time < 7; time++) await registry.putManifest(target, manifest)
    const withPassword = server.seen.filter(({authorization}) => authorization === BASIC)
    expect(withPassword.every(({path}) => path.startsWith('/token'))).toBe(true)
    expect(server.seen.filter(({path}) => path.startsWith('/token'))).toHaveLength(4)
  })

  test('and refuses a mount so changes nothing for other requests', async () => {
    const server = await served(
      forgetful((_request, response) => {
        return response.writeHead(401, {'www-authenticate': 'Basic realm="harbor"'}).end('{}')
      }),
    )
    const registry = connect(server.port, login)
    const target = at(`127.0.0.1:${server.port}`)
    await registry.putManifest(target, manifest)
    const content = {mediaType: 'x', digest: digestOf(bytes), size: bytes.length}
    const blob = {
      content,
      async *open() {
        yield bytes
      },
    }
    await registry.putBlob('team/app', blob, {mountFrom: ['team/other'], absent: true}).catch(() => {})
    await registry.putManifest(target, manifest)
    const passwords = server.seen.filter(
      ({path, authorization}) => authorization === BASIC && !path.startsWith('/token'),
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
    const server = await served((request, response) => {
      const {authorization, host} = request.headers
      if (request.url?.startsWith('/token') === true) {
        if (request.method === 'POST') return response.writeHead(status).end(body)
        return response.end('{"token":"t"}')
      }
      if (authorization === 'Bearer t') return response.writeHead(201).end()
      return response.writeHead(401, {'www-authenticate': `Bearer realm="http://${host}/token"`}).end('{}')
    })
    const registry = connect(server.port, async () => ({kind: 'identity-token', token: 'secret'}))
    await registry.putManifest(at(`127.0.0.1:${server.port}`), manifest)
    const token = server.seen.filter(({path}) => path.startsWith('/token')).map(({method}) => method)
    expect(token).toEqual(['POST', 'GET'])
  })
})
