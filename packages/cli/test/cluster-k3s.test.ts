import {describe, expect, it} from 'vitest'
import {explained, shown, type Contents} from './cluster-kit.js'

const PATH = '/etc/rancher/k3s/registries.yaml'
const CUT: Contents = {'/etc/rancher/k3s/config.yaml': 'disable-default-registry-endpoint: true\n'}
const UPSTREAM = 'https://quay.io/v2/team/app/manifests/2 public'
const MIRROR = 'https://m:5443/v2/team/app/manifests/2?ns=quay.io'

function asked(
  registries: string,
  {reference = 'quay.io/team/app:2', files = {}}: {reference?: string; files?: Contents} = {},
) {
  return shown(explained(reference, 'k3s', {[PATH]: registries, ...files}))
}

function warned(
  registries: string,
  {reference = 'quay.io/team/app:2', files = {}}: {reference?: string; files?: Contents} = {},
): string {
  return explained(reference, 'k3s', {[PATH]: registries, ...files}).warnings.join('\n')
}

function mirror(endpoint: string, host = 'quay.io'): string {
  return `mirrors:\n  "${host}":\n    endpoint: ["${endpoint}"]\n`
}

describe('an endpoint of registries.yaml', () => {
  it('k01: comes before the default endpoint', () => {
    expect(asked(mirror('https://m:5443'))).toEqual([MIRROR, UPSTREAM])
  })

  it.each([
    ['k10: without a path has /v2', 'https://m', 'https://m/v2'],
    ['k10: with a slash has /v2', 'https://m/', 'https://m/v2'],
    ['k10: with /v2 has it once', 'https://m/v2', 'https://m/v2'],
    ['k11: with another path is used as it is', 'https://m/ns', 'https://m/ns'],
    ['k11: with a path below /v2 is used as it is', 'https://m/v2/ns', 'https://m/v2/ns'],
    ['without a scheme is https', 'm:5443', 'https://m:5443/v2'],
    ['without a scheme on loopback with a port is http', '127.0.0.1:5000', 'http://127.0.0.1:5000/v2'],
    ['without a scheme on loopback is https', 'localhost', 'https://localhost/v2'],
  ])('%s', (_, endpoint, root) => {
    expect(asked(mirror(endpoint))[0]).toBe(`${root}/team/app/manifests/2?ns=quay.io`)
  })

  it('k24: counts once if another has the same URL', () => {
    const text = 'mirrors:\n  quay.io:\n    endpoint: ["https://m:5443", "m:5443/v2", "https://other"]\n'
    expect(asked(text)).toEqual([MIRROR, 'https://other/v2/team/app/manifests/2?ns=quay.io', UPSTREAM])
    expect(warned(text)).toMatch(/m:5443\/v2 is ignored because the same URL comes before it/)
  })

  it('that is docker.io means registry-1.docker.io', () => {
    expect(asked(mirror('https://docker.io', 'docker.io'), {reference: 'nginx'})).toEqual([
      'https://registry-1.docker.io/v2/library/nginx/manifests/latest public',
    ])
  })

  it('that is the last one and the default endpoint loses its rewrites', () => {
    const text =
      'mirrors:\n  quay.io:\n    endpoint: ["https://m:5443", "https://quay.io"]\n    rewrite:\n      "^team/": "x/"\n'
    expect(asked(text)).toEqual(['https://m:5443/v2/x/app/manifests/2?ns=quay.io', UPSTREAM])
    expect(warned(text)).toMatch(/the rewrites do not count for https:\/\/quay\.io/)
  })
})

describe('the wildcard of registries.yaml', () => {
  it('k07: is for registries without an entry', () => {
    const text = `${mirror('https://m:5443', '*')}  docker.io:\n    endpoint: ["https://other"]\n`
    expect(asked(text)).toEqual([MIRROR, UPSTREAM])
  })

  it('k08: is hidden by an entry of the registry', () => {
    const text = `${mirror('https://m:5443', '*')}  quay.io:\n    endpoint: ["https://other"]\n`
    expect(asked(text)).toEqual(['https://other/v2/team/app/manifests/2?ns=quay.io', UPSTREAM])
  })

  it('k14, m13: counts if the entry of the registry has no endpoint', () => {
    const text = `${mirror('https://m:5443', '*')}  quay.io:\n    endpoints: ["https://other"]\n`
    expect(asked(text)).toEqual([MIRROR, UPSTREAM])
    expect(warned(text)).toMatch(/mirrors\."quay\.io"\.endpoints is ignored because .*: the key is endpoint/)
    expect(warned(text)).toMatch(
      /mirrors\."quay\.io" .* is ignored because it has no endpoint; the entry "\*" counts instead/,
    )
  })

  it('k09: of configs reaches no mirror, neither with TLS nor with a credential', () => {
    const text = `${mirror('https://m:5443', '*')}configs:\n  "*":\n    auth: {username: u, password: p}\n    tls: {insecure_skip_verify: true}\n`
    expect(asked(text)).toEqual([`${MIRROR} tls-error`, UPSTREAM])
    expect(warned(text)).toMatch(/the tls of configs\."\*" .* is ignored because it reaches no endpoint/)
    expect(warned(text)).toMatch(/the auth of configs\."\*" .* is ignored/)
  })

  it('of configs without one of mirrors is for the default endpoint', () => {
    expect(asked('configs:\n  "*":\n    tls: {insecure_skip_verify: true}\n')).toEqual([
      'https://quay.io/v2/team/app/manifests/2 unverified public',
    ])
  })
})

describe('disable-default-registry-endpoint', () => {
  it('k12: leaves out the default endpoint of a registry with an endpoint', () => {
    expect(asked(mirror('https://m:5443'), {files: CUT})).toEqual([MIRROR])
    expect(asked(mirror('https://m:5443', '*'), {files: CUT})).toEqual([MIRROR])
  })

  it('k13: is defeated by an entry of the same key in configs', () => {
    const text = `${mirror('https://m:5443')}configs:\n  quay.io:\n    auth: {username: u, password: p}\n`
    expect(asked(text, {files: CUT})).toEqual([
      MIRROR,
      'https://quay.io/v2/team/app/manifests/2 basic public',
    ])
    expect(warned(text, {files: CUT})).toMatch(
      /does nothing for quay\.io because configs has an entry of the same key/,
    )
  })

  it('k14: does nothing for an entry without an endpoint', () => {
    expect(asked('mirrors:\n  quay.io:\n', {files: CUT})).toEqual([UPSTREAM])
  })

  it('k15: does nothing for a registry without an entry', () => {
    const text = mirror('https://m:5443', 'docker.io')
    expect(asked(text, {files: CUT})).toEqual([UPSTREAM])
    expect(warned(text, {files: CUT})).toMatch(/does nothing for quay\.io because mirrors has no entry/)
  })

  it('k23: keeps an upstream that is listed as an endpoint, with its rewrites', () => {
    const text =
      'mirrors:\n  quay.io:\n    endpoint: ["https://m:5443", "https://quay.io"]\n    rewrite: {"^team/": "x/"}\n'
    expect(asked(text, {files: CUT})).toEqual([
      'https://m:5443/v2/x/app/manifests/2?ns=quay.io',
      'https://quay.io/v2/x/app/manifests/2 public',
    ])
  })

  it('counts from a drop-in, of which the last one wins', () => {
    const files = {
      '/etc/rancher/k3s/config.yaml.d/10.yaml': 'disable-default-registry-endpoint: true\n',
      '/etc/rancher/k3s/config.yaml.d/20.yaml': 'disable-default-registry-endpoint: false\n',
    }
    expect(asked(mirror('https://m:5443'), {files})).toEqual([MIRROR, UPSTREAM])
  })
})

describe('a rewrite of registries.yaml', () => {
  const rewritten = (rules: string, reference = 'docker.io/rancher/mirrored-pause:3.6') =>
    explained(reference, 'k3s', {
      [PATH]: `mirrors:\n  docker.io:\n    endpoint: ["https://m"]\n    rewrite:\n${rules}`,
    })
  const first = (rules: string, reference?: string): string | undefined =>
    shown(rewritten(rules, reference))[0]

  it('k02: changes the repository, not for the default endpoint', () => {
    expect(shown(rewritten('      "^rancher/(.*)": "proj/$1"\n'))).toEqual([
      'https://m/v2/proj/mirrored-pause/manifests/3.6?ns=docker.io',
      'https://registry-1.docker.io/v2/rancher/mirrored-pause/manifests/3.6 public',
    ])
  })

  it('k03: is ambiguous beside another that matches with another result', () => {
    const {outcome, tries, message} = rewritten(
      '      "^rancher/(.*)": "a/$1"\n      "^rancher/mirrored-(.*)": "b/$1"\n',
    )
    expect(outcome).toBe('ambiguous')
    expect(tries[0]?.url).toContain('/v2/a/mirrored-pause/')
    expect(tries[0]?.orUrl).toContain('/v2/b/pause/')
    expect(message).toContain('a/mirrored-pause or b/pause')
  })

  it('k04: is not ambiguous if all that match give the same name', () => {
    expect(rewritten('      "^rancher/(.*)": "a/$1"\n      "^rancher": "a"\n').outcome).toBe('tries-all')
  })

  it('k05: replaces every match, and its result is not rewritten again', () => {
    expect(first('      "a": "aa"\n')).toContain('/v2/raancher/mirrored-paause/')
  })

  it('k06: that RE2 does not take is ignored with a warning', () => {
    const explanation = rewritten('      "(?=rancher)": "x"\n')
    expect(shown(explanation)[0]).toContain('/v2/rancher/mirrored-pause/')
    expect(explanation.warnings.join()).toMatch(/the rewrite "\(\?=rancher\)" is ignored/)
  })

  it('sees no host and no tag', () => {
    expect(first('      "docker.io|3.6": "x"\n')).toContain('/v2/rancher/mirrored-pause/manifests/3.6')
  })
})

describe('configs of registries.yaml', () => {
  it('k17: are found by the exact host and port of the endpoint', () => {
    const configs = (key: string): string =>
      `${mirror('https://m:5443')}configs:\n  "${key}":\n    tls: {insecure_skip_verify: true}\n    auth: {username: u, password: p}\n`
    expect(asked(configs('m:5443'))[0]).toBe(`${MIRROR} basic unverified`)
    expect(asked(configs('m'))[0]).toBe(MIRROR)
    expect(asked(configs('quay.io'))[0]).toBe(MIRROR)
  })

  it('k18: give TLS settings to the default endpoint too', () => {
    const text = `${mirror('https://m:5443')}configs:\n  quay.io:\n    tls: {insecure_skip_verify: true}\n`
    expect(asked(text)[1]).toBe('https://quay.io/v2/team/app/manifests/2 unverified public')
  })

  it('k19, k20: have the credential of Docker Hub under registry-1.docker.io', () => {
    const hub = 'https://registry-1.docker.io/v2/library/nginx/manifests/latest'
    const auth = (key: string): string => `configs:\n  ${key}:\n    auth: {username: u, password: p}\n`
    expect(asked(auth('docker.io'), {reference: 'nginx'})).toEqual([`${hub} public`])
    expect(warned(auth('docker.io'), {reference: 'nginx'})).toMatch(/not sent to Docker Hub because/)
    expect(asked(auth('registry-1.docker.io'), {reference: 'nginx'})).toEqual([`${hub} basic public`])
  })

  it('k21: take identity_token; the documented token is not read', () => {
    const auth = (key: string): string =>
      `${mirror('https://m:5443')}configs:\n  "m:5443":\n    auth: {${key}: t0ken}\n`
    expect(asked(auth('identity_token'))[0]).toBe(`${MIRROR} identity-token`)
    expect(asked(auth('auth'))[0]).toBe(`${MIRROR} basic`)
    expect(asked(auth('token'))[0]).toBe(MIRROR)
    expect(warned(auth('token'))).toMatch(/auth\.token is ignored .*: the key is identity_token/)
    expect(warned(auth('token'))).not.toContain('t0ken')
  })

  it('with insecure_skip_verify: false alone are no TLS settings, because that leaves no line in hosts.toml', () => {
    const text = `${mirror('http://reg.example:5000', 'reg.example:5000')}configs:\n  "reg.example:5000":\n    tls: {insecure_skip_verify: false}\n`
    expect(asked(text, {reference: 'reg.example:5000/a:1'})[0]).toBe(
      'http://reg.example:5000/v2/a/manifests/1',
    )
  })

  it('k16, m15: with TLS settings make an http endpoint https first, and the default endpoint https after it', () => {
    const text = `${mirror('http://reg.example:5000', 'reg.example:5000')}configs:\n  "reg.example:5000":\n    tls: {insecure_skip_verify: true}\n`
    expect(asked(text, {reference: 'reg.example:5000/a:1'})).toEqual([
      'https://reg.example:5000/v2/a/manifests/1 unverified tls-error',
      'http://reg.example:5000/v2/a/manifests/1 unverified',
      'https://reg.example:5000/v2/a/manifests/1 unverified tls-error',
    ])
    expect(
      asked(mirror('http://reg.example:5000', 'reg.example:5000'), {reference: 'reg.example:5000/a:1'}),
    ).toEqual([
      'http://reg.example:5000/v2/a/manifests/1',
      'https://reg.example:5000/v2/a/manifests/1 tls-error',
    ])
  })

  it('with a CA that is not there fail every pull of the registry', () => {
    const text = `${mirror('https://m:5443')}configs:\n  "m:5443":\n    tls: {ca_file: /etc/rancher/k3s/ca.crt}\n`
    expect(asked(text, {files: CUT})[0]).toMatch(
      /^error: unable to read CA cert "\/etc\/rancher\/k3s\/ca\.crt"/,
    )
  })
})

describe('a registries.yaml that stops the service', () => {
  it.each([
    ['does not parse', 'mirrors:\n  quay.io: [\n', /^error: yaml: line \d/],
    ['has an unquoted *', 'mirrors:\n  *:\n    endpoint: []\n', /^error: yaml: line \d/],
    [
      'has text where a list belongs',
      'mirrors:\n  quay.io:\n    endpoint: https://m\n',
      /line 3: cannot unmarshal !!str into \[\]string/,
    ],
    [
      'has text where a boolean belongs',
      'configs:\n  m:\n    tls: {insecure_skip_verify: "true"}\n',
      /cannot unmarshal !!str into bool/,
    ],
  ])('%s', (_, text, message) => {
    expect(asked(text)[0]).toMatch(message)
    expect(warned(text)).toMatch(/the k3s service does not start/)
  })
})

describe('rke2', () => {
  it('reads its own directory by the same rules', () => {
    const files = {
      '/etc/rancher/rke2/registries.yaml': mirror('https://m:5443'),
      '/etc/rancher/rke2/config.yaml': 'disable-default-registry-endpoint: true\n',
    }
    expect(shown(explained('quay.io/team/app:2', 'rke2', files))).toEqual([MIRROR])
  })

  it('reads the file that private-registry names', () => {
    const files = {
      '/etc/rancher/rke2/config.yaml': 'private-registry: /opt/r.yaml\n',
      '/opt/r.yaml': mirror('https://m:5443'),
    }
    expect(shown(explained('quay.io/team/app:2', 'rke2', files))).toEqual([MIRROR, UPSTREAM])
  })
})
