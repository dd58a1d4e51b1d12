import {describe, expect, it} from 'vitest'
import {explained, shown, type Contents} from './cluster-kit.js'

const DAEMON = '/etc/docker/daemon.json'
const HUB = 'https://registry-1.docker.io/v2/library/nginx/manifests/1 public'

function asked(
  daemon: object,
  {reference = 'nginx:1', files = {}}: {reference?: string; files?: Contents} = {},
) {
  return shown(explained(reference, 'docker', {[DAEMON]: JSON.stringify(daemon), ...files}))
}

describe('registry-mirrors of dockerd', () => {
  it('d01: keep their path, which /v2 follows, and Docker Hub is always last', () => {
    expect(asked({'registry-mirrors': ['https://m:5443/hub/', 'http://m2']})).toEqual([
      'https://m:5443/hub/v2/library/nginx/manifests/1',
      'http://m2/v2/library/nginx/manifests/1',
      HUB,
    ])
  })

  it('d02: are for docker.io alone', () => {
    const explanation = explained('quay.io/a/b:1', 'docker', {
      [DAEMON]: '{"registry-mirrors": ["https://m"]}',
    })
    expect(shown(explanation)).toEqual(['https://quay.io/v2/a/b/manifests/1 public'])
    expect(explanation.warnings.join()).toMatch(/is not used for quay\.io/)
  })

  it.each([
    ['m:5443', "no scheme specified for \"m:5443\": must use either 'https://' or 'http://'"],
    ['ftp://m', 'unsupported scheme "ftp"'],
    ['https://m/?x=1', 'query or fragment'],
    ['https://u:s3cret@m', 'username/password not allowed'],
  ])('d03: with the value %s stop dockerd', (value, message) => {
    const [line] = asked({'registry-mirrors': [value]})
    expect(line).toMatch(
      /^error: unable to configure the Docker daemon with file \/etc\/docker\/daemon\.json: invalid mirror/,
    )
    expect(line).toContain(message)
    expect(line).not.toContain('s3cret')
  })

  it('that are no list of strings, or a file that is not JSON, stop dockerd', () => {
    expect(asked({'registry-mirrors': 'https://m'})[0]).toMatch(/^error: .*registry-mirrors is not a list/)
    expect(shown(explained('nginx', 'docker', {[DAEMON]: '{"a": 1,}'}))[0]).toMatch(
      /^error: .*it is not JSON/,
    )
  })

  it('are checked with the certificates of their own host and port', () => {
    const files = {'/etc/docker/certs.d/m:5443/a.crt': 'x', '/etc/docker/certs.d/docker.io/b.crt': 'x'}
    expect(asked({'registry-mirrors': ['https://m:5443']}, {files})[0]).toContain(
      'ca=/etc/docker/certs.d/m:5443/a.crt',
    )
  })
})

describe('insecure-registries of dockerd', () => {
  const both = [
    'https://reg.example:5000/v2/a/manifests/1 unverified tls-error',
    'http://reg.example:5000/v2/a/manifests/1 unverified',
  ]

  it('d04: are tried as https without verification, then http', () => {
    expect(asked({'insecure-registries': ['reg.example:5000']}, {reference: 'reg.example:5000/a:1'})).toEqual(
      both,
    )
    expect(
      asked({'insecure-registries': ['http://reg.example:5000']}, {reference: 'reg.example:5000/a:1'}),
    ).toEqual(both)
  })

  it('are matched by the exact host and port', () => {
    expect(asked({'insecure-registries': ['reg.example']}, {reference: 'reg.example:5000/a:1'})).toEqual([
      'https://reg.example:5000/v2/a/manifests/1',
    ])
  })

  it('may be a network, which holds loopback in any case', () => {
    expect(asked({'insecure-registries': ['10.0.0.0/8']}, {reference: '10.1.2.3:5000/a:1'})).toHaveLength(2)
    expect(asked({}, {reference: 'localhost:5000/a:1'})).toHaveLength(2)
    expect(asked({'insecure-registries': ['10.0.0.0/8']}, {reference: '11.1.2.3:5000/a:1'})).toHaveLength(1)
  })

  it('that are a network are said to matter for a name', () => {
    const {warnings} = explained('reg.example/a:1', 'docker', {
      [DAEMON]: '{"insecure-registries": ["10.0.0.0/8"]}',
    })
    expect(warnings.join()).toMatch(/if reg\.example has an address in it/)
  })
})

describe('dockerd with the image store of containerd', () => {
  const store = {features: {'containerd-snapshotter': true}}
  const hub = 'https://registry-1.docker.io/v2/library/nginx/manifests/1'

  it('asks its mirrors with ?ns=, and /v2 once', () => {
    expect(asked({...store, 'registry-mirrors': ['https://m/hub', 'https://m/v2/']})).toEqual([
      'https://m/hub/v2/library/nginx/manifests/1?ns=docker.io',
      'https://m/v2/library/nginx/manifests/1?ns=docker.io',
      `${hub} public`,
    ])
  })

  it('reads hosts.toml, which puts registry-mirrors out of use', () => {
    const files = {'/etc/docker/certs.d/docker.io/hosts.toml': '[host."https://h"]\n'}
    expect(asked({...store, 'registry-mirrors': ['https://m']}, {files})).toEqual([
      'https://h/v2/library/nginx/manifests/1?ns=docker.io',
      `${hub} public`,
    ])
  })

  it('is the default since Docker 29', () => {
    const files = {'/etc/docker/certs.d/docker.io/hosts.toml': 'server = "https://h"\n'}
    expect(shown(explained('nginx:1', 'docker@29.1', files))).toEqual([
      'https://h/v2/library/nginx/manifests/1?ns=docker.io',
    ])
    expect(shown(explained('nginx:1', 'docker@28', files))).toEqual([HUB])
  })

  it('asks insecure registries over https without verification, then http', () => {
    expect(
      asked({...store, 'insecure-registries': ['reg.example:5000']}, {reference: 'reg.example:5000/a:1'}),
    ).toEqual([
      'https://reg.example:5000/v2/a/manifests/1 unverified tls-error',
      'http://reg.example:5000/v2/a/manifests/1 unverified',
    ])
  })
})
