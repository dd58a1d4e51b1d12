import {describe, expect, it} from 'vitest'
import {explained, shown, type Contents} from './cluster-kit.js'

const CERTS = '/etc/containerd/certs.d'
const CA = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const DIGEST = `sha256:${'a'.repeat(64)}`
const UPSTREAM = 'https://gcr.io/v2/proj/app/manifests/1.0 public'

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

function warned(hostsToml: string, as = 'containerd'): string {
  return explained('gcr.io/proj/app:1.0', as, {[`${CERTS}/gcr.io/hosts.toml`]: hostsToml}).warnings.join('\n')
}

describe('the API root of a host in hosts.toml', () => {
  it.each([
    [
      'c01: override_path takes the path as it is',
      'https://m/v2/ns"]\noverride_path = true',
      'https://m/v2/ns',
    ],
    ['c02: /v2 is appended to a path', 'https://m/ns"]', 'https://m/ns/v2'],
    ['c04: a path that ends in /v2 gets no other', 'https://m/ns/v2"]', 'https://m/ns/v2'],
    ['c29: the path is cleaned', 'https://m//a/../ns/"]', 'https://m/ns/v2'],
    ['c29: a slash alone is the root', 'https://m/"]', 'https://m/v2'],
    ['override_path without a path leaves no /v2 at all', 'https://m"]\noverride_path = true', 'https://m'],
    ['a path that only contains /v2 gets another one', 'https://m/v2/ns"]', 'https://m/v2/ns/v2'],
    ['c26: https is taken if there is no scheme', 'm:5443/ns"]', 'https://m:5443/ns/v2'],
  ])('%s', (_, host, root) => {
    expect(asked(`server = "https://gcr.io"\n[host."${host}\n`)[0]).toBe(
      `${root}/proj/app/manifests/1.0?ns=gcr.io`,
    )
  })

  it('c26: a host that begins with http and has no scheme names no host at all', () => {
    const explanation = explained('gcr.io/proj/app:1.0', 'containerd', {
      [`${CERTS}/gcr.io/hosts.toml`]: '[host."httpd.example.net:5000"]\n',
    })
    expect(shown(explanation)).toEqual([UPSTREAM])
    expect(explanation.warnings.join()).toMatch(/httpd\.example\.net:5000.*ignored/)
  })
})

describe('the last host of hosts.toml', () => {
  it('c03: is the registry of the image without a server', () => {
    expect(asked('[host."https://m"]\n')).toEqual(['https://m/v2/proj/app/manifests/1.0?ns=gcr.io', UPSTREAM])
  })

  it('is the registry of the image with an empty server', () => {
    expect(asked('server = ""\n')).toEqual([UPSTREAM])
  })

  it('c05: for docker.io without a server is registry-1.docker.io, without ?ns=', () => {
    const files = {[`${CERTS}/docker.io/hosts.toml`]: '[host."https://m"]\n'}
    expect(shown(explained('nginx', 'containerd', files))).toEqual([
      'https://m/v2/library/nginx/manifests/latest?ns=docker.io',
      'https://registry-1.docker.io/v2/library/nginx/manifests/latest public',
    ])
  })

  it('c07: is asked literally if server names it', () => {
    const files = {[`${CERTS}/docker.io/hosts.toml`]: 'server = "https://docker.io"\n'}
    expect(shown(explained('nginx', 'containerd', files))).toEqual([
      'https://docker.io/v2/library/nginx/manifests/latest public',
    ])
  })

  it('m02: may be called *, which is a host name like another', () => {
    expect(asked('server = "*"\n')).toEqual(['https://*/v2/proj/app/manifests/1.0?ns=gcr.io'])
  })

  it('c06: gets ?ns= too if it is a mirror, and then nothing public is asked', () => {
    expect(asked('server = "https://m"\nca = "ca.crt"\n')).toEqual([
      `https://m/v2/proj/app/manifests/1.0?ns=gcr.io ca=${CERTS}/gcr.io/ca.crt`,
    ])
  })
})

describe('the capabilities of a host', () => {
  const pullOnly = 'server = "https://m2"\n[host."https://m1"]\ncapabilities = ["pull"]\n'

  it('c08: must have resolve for a tag', () => {
    expect(asked(pullOnly)).toEqual(['https://m2/v2/proj/app/manifests/1.0?ns=gcr.io'])
  })

  it('c09: need only pull for a digest', () => {
    expect(asked(pullOnly, {reference: `gcr.io/proj/app@${DIGEST}`})).toEqual([
      `https://m1/v2/proj/app/manifests/${DIGEST}?ns=gcr.io`,
      `https://m2/v2/proj/app/manifests/${DIGEST}?ns=gcr.io`,
    ])
  })

  it('c10: are asked for a digest if a name has tag and digest', () => {
    expect(asked(pullOnly, {reference: `gcr.io/proj/app:1.0@${DIGEST}`})[0]).toBe(
      `https://m1/v2/proj/app/manifests/${DIGEST}?ns=gcr.io`,
    )
  })

  it('c11: are all there for the registry of the image after hosts that cannot', () => {
    expect(asked('[host."https://m"]\ncapabilities = ["push"]\n')).toEqual([UPSTREAM])
  })

  it('c12: at the root do not count without a server', () => {
    expect(asked('capabilities = ["push"]\n')).toEqual([UPSTREAM])
  })

  it('at the root count with a server, and no host at all is an error', () => {
    expect(asked('server = "https://m"\ncapabilities = ["push"]\n')).toEqual([
      'error: no resolve hosts: not found',
    ])
  })

  it('may be written in any case', () => {
    expect(asked('server = "https://m"\ncapabilities = ["PULL", "Resolve"]\n')).toHaveLength(1)
  })
})

describe('a hosts.toml that containerd ignores as a whole', () => {
  const leak = [`https://gcr.io/v2/proj/app/manifests/1.0 ca=${CERTS}/gcr.io/ca.crt public`]

  it.each([
    ['c18: does not parse', '[host.https://m]\n'],
    ['c19: has an unknown capability', 'server = "https://m"\ncapabilities = ["pull", "resolv"]\n'],
    ['c19: has a value of another type', 'server = "https://m"\nskip_verify = "true"\n'],
    ['has text where a list belongs', '[host."https://m"]\ncapabilities = "pull"\n'],
    ['has a header that is not text', 'server = "https://m"\n[host."https://m".header]\nx = 1\n'],
    ['has a bad duration', 'server = "https://m"\ndial_timeout = "5"\n'],
    ['has a bad URL', 'server = "https://m:port"\n'],
    ['has a bad pair of certificates', 'server = "https://m"\nclient = [["a", "b", "c"]]\n'],
    [
      'c28: names referrers, which containerd 2.1 does not know',
      'server = "https://m"\ncapabilities = ["pull", "resolve", "referrers"]\n',
    ],
  ])('%s: the public registry is asked', (_, text) => {
    expect(asked(text)).toEqual(leak)
    expect(warned(text)).toMatch(
      /hosts\.toml is ignored because of line \d+: .*; the registry of the image is asked/,
    )
  })

  it('c28: counts if it names referrers and containerd knows that', () => {
    const text = 'server = "https://m"\ncapabilities = ["pull", "resolve", "referrers"]\n'
    expect(asked(text, {as: 'containerd@2.2'})).toEqual(['https://m/v2/proj/app/manifests/1.0?ns=gcr.io'])
  })
})

describe('the order and scope of hosts.toml', () => {
  it('c21: gives a server after a [host] line to that host, and warns', () => {
    const text = '[host."https://m"]\nserver = "https://m2"\n'
    expect(asked(text)).toEqual(['https://m/v2/proj/app/manifests/1.0?ns=gcr.io', UPSTREAM])
    expect(warned(text)).toMatch(/hosts\.toml:2: server is ignored because it stands after a \[host\] line/)
  })

  it('c22: is that of the file, and a table below a host is no second host', () => {
    const text =
      'server = "https://z"\n[host."https://y"]\n[host."https://y".header]\nx = "1"\n[host."https://a"]\n'
    expect(asked(text).map((line) => line.slice(0, 10))).toEqual(['https://y/', 'https://a/', 'https://z/'])
  })

  it('takes no other table for a host', () => {
    const text = 'server = "https://z"\n[other."https://x"]\n[host."https://y"]\n'
    expect(asked(text).map((line) => line.slice(0, 10))).toEqual(['https://y/', 'https://z/'])
  })

  it('leaves out a host that has no line of its own', () => {
    const text = 'server = "https://z"\nhost = {"https://m" = {}}\n'
    expect(asked(text)).toHaveLength(1)
    expect(warned(text)).toMatch(/the host https:\/\/m is ignored because it has no line/)
  })

  it('c30: TLS settings at the root are for server alone', () => {
    const text = 'server = "https://z"\nca = "ca.crt"\nskip_verify = true\n[host."https://m"]\n'
    expect(asked(text)).toEqual([
      'https://m/v2/proj/app/manifests/1.0?ns=gcr.io',
      `https://z/v2/proj/app/manifests/1.0?ns=gcr.io ca=${CERTS}/gcr.io/ca.crt unverified`,
    ])
  })

  it('takes several certificates, relative to the file or absolute', () => {
    const files = {'/etc/pki/x.crt': CA}
    expect(asked('server = "https://z"\nca = ["ca.crt", "/etc/pki/x.crt"]\n', {files})[0]).toContain(
      `ca=${CERTS}/gcr.io/ca.crt, /etc/pki/x.crt`,
    )
  })

  it('with a certificate that is not there fails every pull of the registry', () => {
    expect(asked('server = "https://z"\nca = "other.crt"\n')[0]).toMatch(
      /^error: unable to read CA cert ".*other\.crt"/,
    )
  })

  it('with a certificate outside of the given files goes on, and says so', () => {
    const explanation = explained('gcr.io/a/b:1', 'containerd', {
      [`${CERTS}/gcr.io/hosts.toml`]: 'server = "https://z"\nca = "/usr/share/x.crt"\n',
    })
    expect(explanation.assumed).toContain('/usr/share/x.crt is on the node; it is not among the given files')
    expect(explanation.tries[0]?.ca).toBe('/usr/share/x.crt')
  })

  it('warns of keys that containerd does not know', () => {
    expect(warned('server = "https://z"\n[host."https://m"]\ninsecure = true\n')).toContain(
      `${CERTS}/gcr.io/hosts.toml:3: insecure is ignored because containerd does not know it`,
    )
  })

  it('shows that a header carries a credential, without showing it', () => {
    const explanation = explained('gcr.io/a/b:1', 'containerd', {
      [`${CERTS}/gcr.io/hosts.toml`]: 'server = "https://z"\n[header]\nAuthorization = "Basic c2VjcmV0"\n',
    })
    expect(explanation.tries[0]?.auth).toBe('header')
    expect(JSON.stringify(explanation)).not.toContain('c2VjcmV0')
  })
})
