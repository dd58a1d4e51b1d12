import {describe, expect, it} from 'vitest'
import {explained, shown} from './cluster-kit.js'
import {A, DIGEST, RELEASE, files, idms, image, itms, tried} from './openshift-kit.js'

describe('insecure and blocked registries', () => {
  const mirrored =
    idms({source: 'quay.io', mirrors: [`${A}/quay`]}) +
    '---\n' +
    itms({source: 'quay.io', mirrors: [`${A}/quay`]})

  it('mark mirrors inside an insecure scope, and copy mirrors into a nested scope (o13 o19)', () => {
    expect(tried('quay.io/team/app:2', mirrored, image({insecureRegistries: [A, 'quay.io/team']}))).toEqual([
      `https://${A}/v2/quay/team/app/manifests/2 unverified`,
      'https://quay.io/v2/team/app/manifests/2 unverified public',
    ])
    expect(tried('quay.io/other/app:2', mirrored, image({insecureRegistries: ['quay.io/team']}))).toEqual([
      `https://${A}/v2/quay/other/app/manifests/2`,
      'https://quay.io/v2/other/app/manifests/2 public',
    ])
  })

  it('do not take a host with a port for a part of the host', () => {
    expect(tried('quay.io/a/b:1', mirrored, image({insecureRegistries: ['mirror-a.example.net']}))[0]).toBe(
      `https://${A}/v2/quay/a/b/manifests/1`,
    )
  })

  it('fail the operator if they are nested in a wildcard source (o12)', () => {
    const wildcard = idms({source: '*.redhat.io', mirrors: [A]})
    expect(tried('quay.io/a/b:1', wildcard, image({blockedRegistries: ['registry.redhat.io']}))[0]).toMatch(
      /internal error: mirrorsAdjustedForNestedScope for a wildcard scope "\*\.redhat\.io"/,
    )
  })

  it('that are blocked are refused by the policy even from the mirror', () => {
    expect(tried('quay.io/team/app:2', mirrored, image({blockedRegistries: ['quay.io/team']}))).toEqual([
      `https://${A}/v2/quay/team/app/manifests/2`,
      'refused-by-policy: Running image docker://quay.io/team/app:2 is rejected by policy.',
    ])
    expect(tried('gcr.io/a/b:2', image({blockedRegistries: ['gcr.io']}))).toEqual([
      expect.stringMatching(/^blocked: registry gcr\.io is blocked/),
    ])
  })

  it('must have a valid form', () => {
    expect(tried('gcr.io/a/b:2', image({blockedRegistries: ['gcr.*']}))[0]).toMatch(
      /invalid entry for blocked registries "gcr\.\*"/,
    )
  })
})

describe('allowed registries', () => {
  const mirrored = itms({source: 'quay.io', mirrors: [`${A}/quay`]})

  it('are names as in pods: a list with only the mirror refuses what is mirrored (o14 o15)', () => {
    expect(tried('quay.io/team/app:2', mirrored, image({allowedRegistries: [A]})).at(-1)).toMatch(
      /^refused-by-policy/,
    )
    expect(tried('quay.io/team/app:2', mirrored, image({allowedRegistries: ['quay.io']}))).toHaveLength(2)
  })

  it('exclude blocked registries', () => {
    expect(
      tried('quay.io/a/b:2', image({allowedRegistries: ['quay.io'], blockedRegistries: ['gcr.io']})),
    ).toEqual([
      'error: could not update policy json with new changes: invalid images config: only one of AllowedRegistries or BlockedRegistries may be specified',
    ])
  })
})

describe('the release image', () => {
  const blocked = image({blockedRegistries: ['quay.io/openshift-release-dev']})
  const mirrored = idms({source: 'quay.io/openshift-release-dev/ocp-release', mirrors: [`${A}/ocp-release`]})

  const tryRelease = (reference: string, ...manifests: readonly string[]): readonly string[] =>
    shown(explained(reference, 'openshift', {...files(...manifests), '/release-image.txt': `${RELEASE}\n`}))

  it('is not blocked if it has no mirror: the entry is dropped, and this is said (o18)', () => {
    expect(tryRelease(RELEASE, blocked)).toHaveLength(1)
    expect(explained(RELEASE, 'openshift', files(blocked)).warnings).toEqual([
      expect.stringMatching(
        /blockedRegistries "quay\.io\/openshift-release-dev" is dropped without an error/,
      ),
    ])
  })

  it('is blocked at its location if it has a mirror, and stays allowed by the policy (o16)', () => {
    expect(tryRelease(RELEASE, blocked, mirrored)).toEqual([
      `https://${A}/v2/ocp-release/manifests/${DIGEST}`,
      expect.stringMatching(/^blocked: registry quay\.io\/openshift-release-dev\/ocp-release is blocked/),
    ])
  })

  it('has a namespace whose other repositories are refused (o17)', () => {
    const other = idms(
      {source: 'quay.io/openshift-release-dev/ocp-release', mirrors: [`${A}/ocp-release`]},
      {source: 'quay.io/openshift-release-dev/art', mirrors: [`${A}/art`]},
    )
    expect(tryRelease(`quay.io/openshift-release-dev/art@${DIGEST}`, blocked, other).at(-1)).toMatch(
      /^refused-by-policy/,
    )
  })

  it('must be a name', () => {
    const contents = {...files(blocked), '/release-image.txt': 'Not a name'}
    expect(shown(explained('gcr.io/a/b:1', 'openshift', contents))).toEqual([
      'error: error parsing reference of release image',
    ])
  })
})

describe('certificates, logins, search registries and signatures of a cluster', () => {
  const mirrored = itms({source: 'quay.io', mirrors: [A]})

  it('come from the ConfigMap of additionalTrustedCA, whose keys write the colon as two dots', () => {
    const map = `apiVersion: v1
kind: ConfigMap
metadata: {name: registry-cas, namespace: openshift-config}
data:
  mirror-a.example.net..5443: |
    -----BEGIN CERTIFICATE-----
`
    expect(
      tried('quay.io/a/b:1', mirrored, map, image({}, {additionalTrustedCA: {name: 'registry-cas'}}))[0],
    ).toBe(`https://${A}/v2/a/b/manifests/1 ca=/etc/docker/certs.d/${A}/ca.crt`)
    expect(tried('quay.io/a/b:1', mirrored, map)[0]).toBe(`https://${A}/v2/a/b/manifests/1`)
  })

  it('come from the global pull secret, also for mirrors', () => {
    const config = {auths: {[A]: {auth: Buffer.from('u:secret').toString('base64')}}}
    const secret = `apiVersion: v1
kind: Secret
metadata: {name: pull-secret, namespace: openshift-config}
data:
  .dockerconfigjson: ${Buffer.from(JSON.stringify(config)).toString('base64')}
`
    expect(tried('quay.io/a/b:1', mirrored, secret)[0]).toBe(`https://${A}/v2/a/b/manifests/1 basic`)
  })

  it('replace the search registries of the system', () => {
    expect(tried('app:1', image({containerRuntimeSearchRegistries: ['quay.io']}))).toEqual([
      'https://quay.io/v2/app/manifests/1 public',
    ])
    expect(tried('app:1', mirrored)).toHaveLength(2)
  })

  it('demand a signature where a ClusterImagePolicy covers the name', () => {
    const policy = `apiVersion: config.openshift.io/v1
kind: ClusterImagePolicy
metadata: {name: p}
spec: {scopes: [quay.io/team]}
`
    const warnings = explained('quay.io/team/app:1', 'openshift', files(mirrored, policy)).warnings
    expect(warnings.at(-1)).toMatch(/the scope "quay\.io\/team" demands a signature/)
    expect(tried('quay.io/team/app:1', policy, image({allowedRegistries: ['gcr.io']}))[0]).toMatch(
      /clusterimagePolicy configured for the scope quay\.io\/team is not nested inside allowedRegistries/,
    )
  })
})
