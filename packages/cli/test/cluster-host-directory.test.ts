import {describe, expect, it} from 'vitest'
import {explained, shown, type Contents} from './cluster-kit.js'

const CERTS = '/etc/containerd/certs.d'
const CA = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

/** The requests of containerd with one hosts.toml for gcr.io, or with the files that are given beside it. */
function asked(
  hostsToml: string,
  {
    reference = 'gcr.io/proj/app:1.0',
    as = 'containerd',
    files = {},
  }: {reference?: string; as?: string; files?: Contents} = {},
) {
  return shown(
    explained(reference, as, {
      [`${CERTS}/gcr.io/hosts.toml`]: hostsToml,
      [`${CERTS}/gcr.io/ca.crt`]: CA,
      ...files,
    }),
  )
}

describe('the directory of a registry', () => {
  const server = (name: string): string => `server = "https://${name}"\n`
  const at = (names: readonly string[], reference = 'reg.example:5000/a/b:1'): readonly string[] =>
    shown(
      explained(
        reference,
        'containerd',
        Object.fromEntries(names.map((name, index) => [`${CERTS}/${name}/hosts.toml`, server(`m${index}`)])),
      ),
    )

  it('c13: is _default if it has none', () => {
    expect(at(['_default', 'other.example'])).toEqual(['https://m0/v2/a/b/manifests/1?ns=reg.example%3A5000'])
  })

  it('c15, c27: is HOST_PORT_ before HOST:PORT, and the colon in ?ns= is escaped', () => {
    expect(at(['_default', 'reg.example:5000', 'reg.example_5000_'])).toEqual([
      'https://m2/v2/a/b/manifests/1?ns=reg.example%3A5000',
    ])
  })

  it('c16: is HOST:PORT before _default; the host without its port is another registry', () => {
    expect(at(['_default', 'reg.example', 'reg.example:5000'])).toEqual([
      'https://m2/v2/a/b/manifests/1?ns=reg.example%3A5000',
    ])
  })

  it('c17: of Docker Hub is docker.io and no other name', () => {
    const explanation = explained('nginx', 'containerd', {
      [`${CERTS}/registry-1.docker.io/hosts.toml`]: server('m'),
    })
    expect(shown(explanation)).toEqual([
      'https://registry-1.docker.io/v2/library/nginx/manifests/latest public',
    ])
    expect(explanation.warnings.join()).toMatch(
      /registry-1\.docker\.io is ignored because image names say docker\.io/,
    )
  })

  it('c14: hides _default even without a hosts.toml, and its certificates count for the registry of the image', () => {
    const explanation = explained('quay.io/a/b:1', 'containerd', {
      [`${CERTS}/quay.io/ca.crt`]: CA,
      [`${CERTS}/_default/hosts.toml`]: server('m'),
    })
    expect(shown(explanation)).toEqual([
      `https://quay.io/v2/a/b/manifests/1 ca=${CERTS}/quay.io/ca.crt public`,
    ])
    expect(explanation.warnings.join()).toContain(`hides ${CERTS}/_default/hosts.toml`)
  })

  it('c20: with an empty hosts.toml hides _default too', () => {
    expect(asked('', {files: {[`${CERTS}/_default/hosts.toml`]: server('m')}})).toEqual([
      `https://gcr.io/v2/proj/app/manifests/1.0 ca=${CERTS}/gcr.io/ca.crt public`,
    ])
  })
})

describe('plain HTTP in hosts.toml', () => {
  it('c23: is tried as https first if there are TLS settings', () => {
    expect(asked('server = "http://m:5000"\nskip_verify = true\n')).toEqual([
      'https://m:5000/v2/proj/app/manifests/1.0?ns=gcr.io unverified tls-error',
      'http://m:5000/v2/proj/app/manifests/1.0?ns=gcr.io unverified',
    ])
    expect(asked('server = "http://m:5000"\nskip_verify = false\n')).toHaveLength(2)
  })

  it('c24: without TLS settings, or on port 80, is plain HTTP alone', () => {
    expect(asked('server = "http://m:5000"\n')).toEqual(['http://m:5000/v2/proj/app/manifests/1.0?ns=gcr.io'])
    expect(asked('server = "http://m:80"\nskip_verify = true\n')).toHaveLength(1)
  })

  it('c25: the own registry on loopback is tried as https without verification, then http', () => {
    expect(shown(explained('localhost:5001/app:1', 'containerd', {[`${CERTS}/x/ca.crt`]: CA}))).toEqual([
      'https://localhost:5001/v2/app/manifests/1 unverified tls-error',
      'http://localhost:5001/v2/app/manifests/1 unverified',
    ])
  })

  it('c25: loopback is known by the name alone, and port 443 or none means https', () => {
    expect(shown(explained('127.0.0.1/app:1', 'containerd', {[`${CERTS}/x/ca.crt`]: CA}))).toEqual([
      'https://127.0.0.1/v2/app/manifests/1 unverified',
    ])
    expect(shown(explained('127.0.0.1:80/app:1', 'containerd', {[`${CERTS}/x/ca.crt`]: CA}))).toEqual([
      'http://127.0.0.1:80/v2/app/manifests/1',
    ])
  })
})
