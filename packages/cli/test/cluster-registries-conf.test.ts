import {describe, expect, it} from 'vitest'
import {CONF, DIGEST, MIRRORED, tried, warned} from './registries-conf-kit.js'

describe('which places registries.conf leads to', () => {
  it('asks the registry itself if no entry matches, docker.io at registry-1.docker.io (p32)', () => {
    expect(tried('quay.io/a/b:1', '')).toEqual(['https://quay.io/v2/a/b/manifests/1 public'])
    expect(tried('docker.io/busybox', '')).toEqual([
      'https://registry-1.docker.io/v2/library/busybox/manifests/latest public',
    ])
  })

  it('asks mirrors in order, then always the location, with trailing slashes cut (p01)', () => {
    const conf = `[[registry]]
prefix = "gcr.io"
location = "gcr.io/"
[[registry.mirror]]
location = "mirror.example.net:5443/gcr//"
[[registry.mirror]]
location = "mirror-a.example.net:5443"
insecure = true
`
    expect(tried('gcr.io/p/app:1', conf)).toEqual([
      'https://mirror.example.net:5443/v2/gcr/p/app/manifests/1',
      'https://mirror-a.example.net:5443/v2/p/app/manifests/1 unverified',
      'https://gcr.io/v2/p/app/manifests/1 public',
    ])
  })

  it.each([
    ['mirror-by-digest-only = true', ''],
    ['', 'pull-from-mirror = "digest-only"'],
  ])('leaves out mirrors for digests when asked for a tag: %s %s (p02 p04)', (ofEntry, ofMirror) => {
    const conf = `[[registry]]
location = "gcr.io"
${ofEntry}
[[registry.mirror]]
location = "mirror.example.net:5443"
${ofMirror}
`
    expect(tried('gcr.io/p/app:1', conf)).toEqual(['https://gcr.io/v2/p/app/manifests/1 public'])
    expect(warned('gcr.io/p/app:1', conf)).toContain(
      `${CONF}:4: mirror.example.net:5443 is not asked for a tag`,
    )
    expect(tried(`gcr.io/p/app@${DIGEST}`, conf)).toEqual([
      `https://mirror.example.net:5443/v2/p/app/manifests/${DIGEST}`,
      `https://gcr.io/v2/p/app/manifests/${DIGEST} public`,
    ])
  })

  it('leaves out mirrors for tags when asked for a digest, also of a name with both (p05 p33)', () => {
    const conf = `${MIRRORED}pull-from-mirror = "tag-only"\n`
    expect(tried('gcr.io/p/app:1', conf)).toHaveLength(2)
    for (const name of [`gcr.io/p/app@${DIGEST}`, `gcr.io/p/app:1@${DIGEST}`])
      expect(tried(name, conf)).toEqual([`https://gcr.io/v2/p/app/manifests/${DIGEST} public`])
  })

  it('refuses a name with a tag and a digest as skopeo does (p33)', () => {
    expect(tried(`gcr.io/p/app:1@${DIGEST}`, MIRRORED, 'skopeo')).toEqual([
      'error: Docker references with both a tag and digest are currently not supported',
    ])
  })

  it('matches a prefix only up to a slash, a colon or the end, the longest alone (p06)', () => {
    const conf = `[[registry]]
prefix = "gcr.io/p"
location = "short.example.net"
[[registry]]
prefix = "gcr.io/p/app"
location = "long.example.net"
`
    expect(tried('gcr.io/p/app/x:1', conf)).toEqual(['https://long.example.net/v2/x/manifests/1'])
    expect(tried('gcr.io/p/app2:1', conf)).toEqual(['https://short.example.net/v2/app2/manifests/1'])
    expect(tried('gcr.io/p2/app:1', conf)).toEqual(['https://gcr.io/v2/p2/app/manifests/1 public'])
  })

  it('covers sub-domains of any depth by *., not the domain itself, and replaces the whole host (p07 p08)', () => {
    const conf = `[[registry]]
prefix = "*.gcr.io"
[[registry.mirror]]
location = "mirror.example.net:5443/all"
`
    expect(tried('us.gcr.io/a/b:1', conf)).toEqual([
      'https://mirror.example.net:5443/v2/all/a/b/manifests/1',
      'https://us.gcr.io/v2/a/b/manifests/1 public',
    ])
    expect(tried('x.us.gcr.io/a/b:1', conf)[0]).toBe('https://mirror.example.net:5443/v2/all/a/b/manifests/1')
    expect(tried('gcr.io/a/b:1', conf)).toEqual(['https://gcr.io/v2/a/b/manifests/1 public'])
  })

  it('never matches a prefix with a tag, and says so (p24)', () => {
    const conf = MIRRORED.replace('[[registry]]', '[[registry]]\nprefix = "gcr.io/p/app:1"')
    expect(tried('gcr.io/p/app:1', conf)).toEqual(['https://gcr.io/v2/p/app/manifests/1 public'])
    expect(warned('gcr.io/p/app:1', conf)).toEqual([
      `${CONF}:1: [gcr.io/p/app:1] never matches because the prefix has a tag or a digest`,
    ])
  })

  it('makes an invalid name of a host with a port if the prefix has none and the mirror a path (p25)', () => {
    const conf = MIRRORED.replace('"gcr.io"', '"registry.corp.example"')
    expect(tried('registry.corp.example:5000/team/app:1', conf)).toEqual([
      'error: rewriting reference: invalid reference format',
    ])
  })

  it('makes "/v2" in a location a part of the repository, and says so (m20)', () => {
    const conf = MIRRORED.replace('5443/gcr', '5443/v2/gcr')
    expect(tried('gcr.io/p/app:1', conf)[0]).toBe(
      'https://mirror.example.net:5443/v2/v2/gcr/p/app/manifests/1',
    )
    expect(warned('gcr.io/p/app:1', conf)[0]).toMatch(/registries\.conf:3: "\/v2" in the location/)
  })
})

describe('blocked registries', () => {
  it('are still asked for through their mirrors, never at their location (p09)', () => {
    const conf = MIRRORED.replace('[[registry.mirror]]', 'blocked = true\n[[registry.mirror]]')
    expect(tried('gcr.io/p/app:1', conf)).toEqual([
      'https://mirror.example.net:5443/v2/gcr/p/app/manifests/1',
      `blocked: registry gcr.io is blocked in one of ${CONF}, ${CONF}.d, /root/.config/containers/registries.conf.d`,
    ])
  })

  it('are skipped as mirrors, by the entry that matches the rewritten name (p10)', () => {
    const conf = `${MIRRORED}[[registry]]\nlocation = "mirror.example.net:5443/gcr/p"\nblocked = true\n`
    expect(tried('gcr.io/p/app:1', conf)).toEqual(['https://gcr.io/v2/p/app/manifests/1 public'])
    expect(warned('gcr.io/p/app:1', conf)).toEqual([
      `${CONF}:3: mirror 1, mirror.example.net:5443, is skipped because [mirror.example.net:5443/gcr/p] at ${CONF}:5 is blocked`,
    ])
  })

  it('are not blocked by a key below the first mirror, and this is said (p26 m17)', () => {
    const conf = `${MIRRORED}blocked = true\n`
    expect(tried('gcr.io/p/app:1', conf)).toHaveLength(2)
    expect(warned('gcr.io/p/app:1', conf)).toEqual([
      `${CONF}:5: blocked in [[registry.mirror]] is ignored because it stands below [[registry.mirror]]; it belongs between [[registry]] and the first mirror`,
    ])
  })
})

describe('several files', () => {
  const entry = (location: string): string => MIRRORED.replace('mirror.example.net:5443/gcr', location)

  it('replace a whole entry of the same prefix, the last by name (p13 p14)', () => {
    const files = {
      [CONF]: `${MIRRORED}insecure = true\n`,
      [`${CONF}.d/20-b.conf`]: entry('b.example.net'),
      [`${CONF}.d/10-a.conf`]: entry('a.example.net'),
      [`${CONF}.d/30-c.toml`]: entry('c.example.net'),
      [`${CONF}.d/sub/40-d.conf`]: entry('d.example.net'),
    }
    expect(tried('gcr.io/p/app:1', files)).toEqual([
      'https://b.example.net/v2/p/app/manifests/1',
      'https://gcr.io/v2/p/app/manifests/1 public',
    ])
    expect(warned('gcr.io/p/app:1', files)).toEqual([
      `${CONF}.d/30-c.toml is ignored because its name does not end in .conf`,
      `${CONF}.d/sub/40-d.conf is ignored because sub-directories of ${CONF}.d are not read`,
      `${CONF}:1: this [[registry]], its mirrors included, is ignored because ${CONF}.d/10-a.conf:1 has the same prefix gcr.io`,
      `${CONF}.d/10-a.conf:1: this [[registry]], its mirrors included, is ignored because ${CONF}.d/20-b.conf:1 has the same prefix gcr.io`,
    ])
  })

  it('of the system are hidden by the registries.conf of the user, also of root (p15)', () => {
    for (const home of ['/root', '/home/ann']) {
      const files = {
        [CONF]: entry('system.example.net'),
        [`${CONF}.d/10.conf`]: entry('drop-in.example.net'),
        [`${home}/.config/containers/registries.conf`]: entry('own.example.net'),
      }
      expect(tried('gcr.io/p/app:1', files)[0]).toBe('https://own.example.net/v2/p/app/manifests/1')
      expect(warned('gcr.io/p/app:1', files)).toHaveLength(2)
    }
  })

  it('of the user come after those of the system if there is no registries.conf of the user (p16)', () => {
    const files = {
      [`${CONF}.d/10.conf`]: entry('drop-in.example.net'),
      '/root/.config/containers/registries.conf.d/05.conf': entry('own.example.net'),
    }
    expect(tried('gcr.io/p/app:1', files)[0]).toBe('https://own.example.net/v2/p/app/manifests/1')
  })

  it('keep the first of two entries with one prefix in one file (p23)', () => {
    const files = {[CONF]: entry('one.example.net') + entry('two.example.net')}
    expect(tried('gcr.io/p/app:1', files)[0]).toBe('https://one.example.net/v2/p/app/manifests/1')
    expect(warned('gcr.io/p/app:1', files)).toEqual([
      `${CONF}:5: this [[registry]] is ignored because ${CONF}:1 has the same prefix gcr.io`,
    ])
  })
})
