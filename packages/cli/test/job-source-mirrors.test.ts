import {formatReference, parseReference, type MirrorError} from '@airgap-mirror/oci-client/model'
import {describe, expect, it} from 'vitest'
import {parseSourceMirrors} from '#src/job/parse-source-mirrors.js'
import type {SourceMirrors} from '#src/job/source-mirrors.js'

const digest = `sha256:${'0'.repeat(64)}`
function parse(text: string): Promise<SourceMirrors> {
  return parseSourceMirrors(text, {name: 'registries', directory: '/etc/rancher/k3s'})
}

function places(mirrors: SourceMirrors, text: string): readonly string[] {
  return mirrors
    .mirrorsFor(parseReference(text))
    .map(({reference, insecure, plainHttp}) =>
      [formatReference(reference), ...(insecure ? ['insecure'] : []), ...(plainHttp ? ['http'] : [])].join(
        ' ',
      ),
    )
}

function refused(text: string): Promise<MirrorError> {
  return parse(text).then(
    () => expect.unreachable('it was taken'),
    (error: MirrorError) => error,
  )
}

describe('registries.conf', () => {
  const conf = `
# as in containers-registries.conf(5)
unqualified-search-registries = ["docker.io"]

[[registry]]
prefix = "docker.io"
location = "hub.example:5000/cache/"

[[registry]]
location = "docker.io/rancher"
[[registry.mirror]]
location = "one.example"
insecure = true
[[registry.mirror]]
location = "two.example/rancher"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "three.example/rancher"
pull-from-mirror = "tag-only"

[[registry]]
prefix = "quay.io/secret"
location = "quay.io/secret"
blocked = true

[[registry]]
prefix = "*.corp.example"
insecure = true
mirror-by-digest-only = true
[[registry.mirror]]
location = "four.example:5000/corp"

[[registry]]
prefix = "quay.io/app:v1"
location = "five.example/app:v2"

[[registry]]
prefix = "gcr.io"
location = "gcr.io"
[[registry.mirror]]
location = "gcr.io"
`
  it.each<readonly [string, readonly string[]]>([
    ['busybox:1', ['hub.example:5000/cache/library/busybox:1']],
    [
      'rancher/pause:3.6',
      ['one.example/pause:3.6 insecure', 'three.example/rancher/pause:3.6', 'docker.io/rancher/pause:3.6'],
    ],
    [
      `rancher/pause:3.6@${digest}`,
      [
        `one.example/pause:3.6@${digest} insecure`,
        `two.example/rancher/pause:3.6@${digest}`,
        `docker.io/rancher/pause:3.6@${digest}`,
      ],
    ],
    ['rancherlabs/x', ['hub.example:5000/cache/rancherlabs/x']],
    ['a.b.corp.example/x:v', ['a.b.corp.example/x:v insecure']],
    [
      `b.corp.example/x@${digest}`,
      [`four.example:5000/corp/x@${digest}`, `b.corp.example/x@${digest} insecure`],
    ],
    ['corp.example/x:v', ['corp.example/x:v']],
    // a prefix with a tag never matches, for podman neither
    ['quay.io/app:v1', ['quay.io/app:v1']],
    ['quay.io/app:v10', ['quay.io/app:v10']],
    ['gcr.io/x:v', ['gcr.io/x:v']],
    ['ghcr.io/x:v', ['ghcr.io/x:v']],
  ])('%s', async (reference, expected) => {
    expect(places(await parse(conf), reference)).toEqual(expected)
  })

  it('refuses what it blocks', async () => {
    const mirrors = await parse(conf)
    expect(() => places(mirrors, 'quay.io/secret/app:v1')).toThrow(
      expect.objectContaining({
        code: 'DENIED',
        side: 'source',
        message: expect.stringContaining('quay.io/secret'),
      }),
    )
    expect(places(mirrors, 'quay.io/secrets/app:v1')).toEqual(['quay.io/secrets/app:v1'])
  })

  it.each([
    ['[[registry]]\nprefix = "a', /line 2/],
    ['[[registry]]\ninsecure = true', /both location and prefix are unset/],
    ['[[registry]]\nlocation = 5', /line 2 \(last key "registry.location"\)/],
    ['[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\n', /mirror location is unset/],
    ['[[registry]]\nlocation = "https://a.example"', /URI schemes are not supported/],
    ['[registries.search]\nregistries = ["a.example"]', /without a \[\[registry\]\]/],
    ['registry = 5', /line 1 \(last key "registry"\)/],
    ['{}', /has neither mirrors nor configs/],
  ])('%s', async (text, told) => {
    const error = await refused(text)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toMatch(told)
  })
})

describe('registries.conf as podman reads it', () => {
  const mirrored = '[[registry]]\nlocation = "gcr.io"\nblocked = true\n[[registry.mirror]]\nlocation = '

  it('leaves the mirrors of a blocked registry, and skips a mirror that is blocked itself', async () => {
    expect(places(await parse(`${mirrored}"one.example/g"`), 'gcr.io/x:v')).toEqual(['one.example/g/x:v'])
    const blocked = `${mirrored}"one.example/g"\n[[registry]]\nlocation = "one.example"\nblocked = true`
    const mirrors = await parse(blocked)
    expect(() => places(mirrors, 'gcr.io/x:v')).toThrow(expect.objectContaining({code: 'DENIED'}))
  })

  it('refuses a reference that its mirror makes no full name of', async () => {
    const mirrors = await parse(`${mirrored}"mirror"`)
    expect(() => places(mirrors, 'gcr.io/x:v')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('must be canonical'),
      }),
    )
  })
})

describe('mirror sets of OpenShift', () => {
  const sets = `apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: digests}
spec:
  imageDigestMirrors:
  - {source: quay.io/team, mirrors: [one.example/team], mirrorSourcePolicy: NeverContactSource}
---
apiVersion: config.openshift.io/v1
kind: ImageTagMirrorSet
metadata: {name: tags}
spec:
  imageTagMirrors:
  - {source: quay.io/team, mirrors: [two.example/team], mirrorSourcePolicy: NeverContactSource}
`
  it('are read as the cluster reads them', async () => {
    const mirrors = await parse(sets)
    expect(places(mirrors, 'quay.io/team/app:v1')).toEqual(['two.example/team/app:v1'])
    expect(places(mirrors, `quay.io/team/app@${digest}`)).toEqual([`one.example/team/app@${digest}`])
    expect(places(mirrors, 'gcr.io/x:v')).toEqual(['gcr.io/x:v'])
  })

  it('are refused where the cluster refuses them', async () => {
    const {code, message} = await refused(sets.replace('two.example/team', 'https://two.example'))
    expect(code).toBe('CONFIG_INVALID')
    expect(message).toContain('invalid format for mirror "https://two.example"')
  })
})

describe('registries.yaml', () => {
  const yaml = `
mirrors:
  docker.io:
    endpoint:
      - "https://registry.example:5000"
      - "http://plain.example/v2/hub/"
    rewrite:
      "^rancher/(.*)": "mirrorproject/rancher-images/$1"
      "^library/": "dockerhub/"
  "*":
    endpoint: ["cache.example/v2"]
  gcr.io:
configs:
  "registry.example:5000":
    auth: {username: me, password: 12345}
    tls: {ca_file: ca.pem, cert_file: /c.pem, key_file: /k.pem}
  https://cache.example/v2:
    auth: {auth: ${Buffer.from('you:pass:word').toString('base64')}}
    tls: {insecure_skip_verify: true}
  "*": {auth: {identity_token: t}}
`
  it.each<readonly [string, readonly string[]]>([
    [
      'rancher/pause:3.6',
      [
        'registry.example:5000/mirrorproject/rancher-images/pause:3.6',
        'plain.example/hub/mirrorproject/rancher-images/pause:3.6 http',
        'docker.io/rancher/pause:3.6',
      ],
    ],
    [
      'busybox',
      [
        'registry.example:5000/dockerhub/busybox',
        'plain.example/hub/dockerhub/busybox http',
        'docker.io/library/busybox',
      ],
    ],
    ['quay.io/a/b:v', ['cache.example/a/b:v', 'quay.io/a/b:v']],
    ['gcr.io/a/b:v', ['gcr.io/a/b:v']],
  ])('%s', async (reference, expected) => {
    expect(places(await parse(yaml), reference)).toEqual(expected)
  })

  it('has credentials and certificates', async () => {
    const {settingsFor} = await parse(yaml)
    expect(settingsFor('registry.example:5000')).toEqual({
      username: 'me',
      password: '12345',
      cacert: '/etc/rancher/k3s/ca.pem',
      clientCert: '/c.pem',
      clientKey: '/k.pem',
    })
    expect(settingsFor('cache.example')).toEqual({
      username: 'you',
      password: 'pass:word',
      insecureSkipTlsVerify: true,
    })
    expect(settingsFor('plain.example')).toEqual({identityToken: 't', plainHttp: true})
    expect((await parse('mirrors: {}')).settingsFor('a.example')).toBeUndefined()
  })

  it('tells all that is wrong, with lines, without what is secret', async () => {
    const {message} = await refused(`mirrors:
  a.example: {endpoint: ["ftp://x", "https://art.example/api/docker/v2", 5]}
  b.example: {rewrite: {"(?=a)": b}}
configs:
  c.example: hunter2
`)
    expect(message).toMatch(/4|5 problems/)
    for (const told of [
      /line 2: .*endpoint\[0\]: is not a URL/,
      /endpoint\[1\]: has a path/,
      /endpoint\[2\]: has to/,
      /line 3: .*rewrite/,
      /line 5: configs/,
    ])
      expect(message).toMatch(told)
    expect(message).not.toContain('hunter2')
  })
})
