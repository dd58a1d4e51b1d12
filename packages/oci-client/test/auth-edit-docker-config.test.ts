import {describe, expect, it} from 'vitest'
import {withLogin, withoutLogin} from '#src/auth/edit-docker-config.js'

const docker = {path: 'config.json', style: 'docker'} as const
const login = {username: 'pusher', password: 'a:b'}
const auth = Buffer.from('pusher:a:b').toString('base64')

describe('a login in a Docker config', () => {
  it('is added to an empty text, and everything else in a text stays in its place', () => {
    expect(JSON.parse(withLogin('', {...docker, registry: 'reg:5000', login}))).toEqual({
      auths: {'reg:5000': {auth}},
    })
    const before = {
      psFormat: 'x',
      auths: {other: {auth: 'eDp5'}, 'reg:5000': {auth: 'b2xkOm9sZA==', email: 'e'}},
      proxies: {},
    }
    const after = withLogin(JSON.stringify(before), {...docker, registry: 'reg:5000', login})
    expect(JSON.parse(after)).toEqual({...before, auths: {other: {auth: 'eDp5'}, 'reg:5000': {auth}}})
    expect(Object.keys(JSON.parse(after) as object)).toEqual(Object.keys(before))
  })

  it('of Docker Hub has the key that docker gives it, and in podman’s file the one that podman gives it', () => {
    const keys = (style: 'docker' | 'podman', path: string): readonly string[] => {
      const text = withLogin('{}', {path, style, registry: 'index.docker.io', login})
      return Object.keys((JSON.parse(text) as {auths: object}).auths)
    }
    expect(keys('docker', 'config.json')).toEqual(['https://index.docker.io/v1/'])
    expect(keys('podman', 'auth.json')).toEqual(['docker.io'])
  })

  it('that a helper keeps leaves an empty entry', () => {
    const text = withLogin('{"credsStore":"desktop"}', {...docker, registry: 'reg'})
    expect(JSON.parse(text)).toEqual({credsStore: 'desktop', auths: {reg: {}}})
  })

  it('is removed under every spelling of the registry, and logins for parts of it stay', () => {
    const entry = {auth}
    const auths = {'https://REG:5000/v1/': entry, 'reg:5000': entry, 'reg:5000/team': entry, reg: entry}
    const text = withoutLogin(JSON.stringify({auths, x: 1}), {path: 'p', registry: 'reg:5000'})
    expect(JSON.parse(text ?? '')).toEqual({auths: {'reg:5000/team': entry, reg: entry}, x: 1})
    expect(withoutLogin(JSON.stringify({auths}), {path: 'p', registry: 'reg:6000'})).toBeUndefined()
  })

  it.each([
    ['{', 'is not JSON'],
    ['[]', 'is not a JSON object'],
    ['{"auths":[]}', 'auths is not an object'],
    [JSON.stringify({reg: {auth}}), 'old form of .dockercfg'],
  ])('is not written into %s', (text, message) => {
    expect(() => withLogin(text, {...docker, registry: 'reg', login})).toThrow(message)
  })
})
