import {limits} from '@airgap-mirror/oci-client/model'
import {describe, expect, it} from 'vitest'
import {CONF, MIRRORED, tried, warned} from './registries-conf-kit.js'

describe('errors that break every pull', () => {
  const loading = `error: loading registries configuration "${CONF}": `

  it.each([
    [
      'an URL as a location (p20)',
      MIRRORED.replace('mirror.example', 'https://mirror.example'),
      "invalid location 'https://mirror.example.net:5443/gcr': URI schemes are not supported",
    ],
    [
      'both versions in one file, even if the lists are empty (p18)',
      `${MIRRORED}[registries.search]\nregistries = []\n`,
      'mixing sysregistry v1/v2 is not supported',
    ],
    [
      'mirror-by-digest-only with pull-from-mirror (p21)',
      `${MIRRORED.replace('"gcr.io"', '"gcr.io"\nmirror-by-digest-only = true')}pull-from-mirror = "all"\n`,
      'cannot set mirror usage mirror-by-digest-only for the registry ("gcr.io") and pull-from-mirror for per-mirror ("mirror.example.net:5443/gcr") at the same time',
    ],
    [
      'one location that is blocked and not blocked (p22)',
      `${MIRRORED}[[registry]]\nprefix = "k8s.gcr.io"\nlocation = "gcr.io"\nblocked = true\n`,
      "registry 'gcr.io' is defined multiple times with conflicting 'blocked' setting",
    ],
    [
      'one location that is insecure and not insecure (p22)',
      `${MIRRORED}[[registry]]\nprefix = "k8s.gcr.io"\nlocation = "gcr.io"\ninsecure = true\n`,
      "registry 'gcr.io' is defined multiple times with conflicting 'insecure' setting",
    ],
    [
      'a mirror without a [[registry]] (m16)',
      '[[registry.mirror]]\nlocation = "mirror.example.net"\n',
      `toml: (last key "registry"): incompatible types: TOML value has type map[string]any; destination has type slice: [[registry.mirror]] at ${CONF}:1 has no [[registry]] before it`,
    ],
    [
      'a mirror without a location',
      '[[registry]]\nlocation = "gcr.io"\n[[registry.mirror]]\n',
      'invalid condition: mirror location is unset',
    ],
    ['an entry without a name', '[[registry]]\n', 'invalid condition: both location and prefix are unset'],
    [
      'a prefix without a location',
      '[[registry]]\nprefix = "gcr.io"\n',
      'invalid condition: location is unset and prefix is not in the format: *.example.com',
    ],
    [
      'a wildcard with a path',
      '[[registry]]\nprefix = "*.gcr.io/p"\n',
      'Wildcarded prefix should be in the format: *.example.com. Current prefix "*.gcr.io/p" is incorrectly formatted',
    ],
    [
      'an unknown value of pull-from-mirror',
      `${MIRRORED}pull-from-mirror = "always"\n`,
      'unsupported pull-from-mirror value "always" for mirror "mirror.example.net:5443/gcr"',
    ],
    [
      'a value of another type',
      `${MIRRORED}insecure = "yes"\n`,
      'toml: line 5 (last key "registry.mirror.insecure"): incompatible types: TOML value has type string; destination has type boolean',
    ],
  ])('%s', (_what, conf, message) => {
    expect(tried('quay.io/any/image:1', conf)).toEqual([loading + message])
    expect(warned('quay.io/any/image:1', conf)).toHaveLength(1)
  })

  it('the old form in a drop-in (p19), which registries.conf itself may have', () => {
    const old =
      '[registries.block]\nregistries = ["gcr.io"]\n[registries.insecure]\nregistries = ["quay.io"]\n'
    expect(tried('quay.io/a/b:1', {[`${CONF}.d/1.conf`]: old})).toEqual([
      `error: loading drop-in registries configuration "${CONF}.d/1.conf": registry must be in v2 format but is in v1`,
    ])
    expect(tried('quay.io/a/b:1', old)).toEqual(['https://quay.io/v2/a/b/manifests/1 unverified public'])
    expect(tried('gcr.io/a/b:1', old)).toEqual([
      expect.stringMatching(/^blocked: registry gcr\.io is blocked/),
    ])
  })

  it('text that is no TOML, and a policy.json with an unknown or repeated key', () => {
    expect(tried('quay.io/a/b:1', '[[registry]\n')[0]).toMatch(
      /^error: loading registries configuration ".*": toml: line 2: /,
    )
    const policy = (text: string): string | undefined =>
      tried('quay.io/a/b:1', {'/etc/containers/policy.json': text})[0]
    const accept = '"default": [{"type": "insecureAcceptAnything"}]'
    expect(policy(`{${accept}, "transport": {}}`)).toBe(
      'error: invalid policy in "/etc/containers/policy.json": Unknown key "transport"',
    )
    expect(
      policy(`{${accept}, "transports": {"docker": {"a": [{"type": "reject"}], "a": [{"type": "reject"}]}}}`),
    ).toBe('error: invalid policy in "/etc/containers/policy.json": Duplicate key "a"')
    expect(policy('{"default": []}')).toMatch(/must not be empty/)
    expect(policy('{"default": [{"type": "insecureAcceptAnything", "keyPath": "/k"}]}')).toMatch(
      /Unknown key "keyPath"/,
    )
    const signed = '{"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}]}'
    expect(policy(signed)).not.toMatch(/^error/)
    expect(policy('{')).toMatch(/^error: invalid policy/)
  })
})

describe('short names', () => {
  const search = 'unqualified-search-registries = ["quay.io", "docker.io"]\n'

  it('are looked for in every search registry, or are what their alias says', () => {
    expect(tried('app:1', search)).toEqual([
      'https://quay.io/v2/app/manifests/1 public',
      'https://registry-1.docker.io/v2/library/app/manifests/1 public',
    ])
    expect(tried('app:1', `${search}[aliases]\napp = "gcr.io/p/app"\n`)).toEqual([
      'https://gcr.io/v2/p/app/manifests/1 public',
    ])
  })

  it('are ambiguous if they are enforced, as CRI-O does by itself', () => {
    expect(tried('app:1', search, 'crio')).toEqual([
      'ambiguous: short-name resolution enforced but cannot prompt without a TTY',
    ])
    expect(tried('app:1', search, 'skopeo')).toHaveLength(1)
  })

  it('cannot be pulled without search registries', () => {
    expect(tried('app:1', '')).toEqual([
      `error: short-name "app:1" did not resolve to an alias and no unqualified-search registries are defined in "${CONF}"`,
    ])
  })
})

it.each([
  ['one comment', '#'.repeat(limits.nodeFileBytes - 100)],
  ['comments', '#\n'.repeat(limits.nodeFileBytes / 2 - 100)],
  ['blank lines', '\n'.repeat(limits.nodeFileBytes - 100)],
])('a file of nothing but %s, as large as may be, leads to the registry itself', (_, conf) => {
  expect(tried('quay.io/a/b:1', conf)).toEqual(['https://quay.io/v2/a/b/manifests/1 public'])
})
