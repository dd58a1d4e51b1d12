import {describe, expect, it} from 'vitest'
import {explained} from './cluster-kit.js'
import {A, B, C, DIGEST, files, icsp, idms, itms, tried} from './openshift-kit.js'

describe('mirror sets', () => {
  it.each([
    ['ImageDigestMirrorSet', idms],
    ['ImageContentSourcePolicy', icsp],
  ] as const)('%s mirrors digests and no tags (o01 o03)', (_kind, set) => {
    const manifest = set({source: 'quay.io/team', mirrors: [`${A}/team`]})
    expect(tried(`quay.io/team/app@${DIGEST}`, manifest)).toEqual([
      `https://${A}/v2/team/app/manifests/${DIGEST}`,
      `https://quay.io/v2/team/app/manifests/${DIGEST} public`,
    ])
    expect(tried('quay.io/team/app:2', manifest)).toEqual(['https://quay.io/v2/team/app/manifests/2 public'])
  })

  it('ImageTagMirrorSet mirrors tags and no digests (o02)', () => {
    const manifest = itms({source: 'quay.io/team', mirrors: [`${A}/team`]})
    expect(tried('quay.io/team/app:2', manifest)).toHaveLength(2)
    expect(tried(`quay.io/team/app:2@${DIGEST}`, manifest)).toHaveLength(1)
  })

  it('keep the digest mirrors and the tag mirrors of one source apart (o04)', () => {
    const manifests = [
      idms({source: 'quay.io/team', mirrors: [`${A}/digests`]}),
      itms({source: 'quay.io/team', mirrors: [`${B}/tags`]}),
    ]
    expect(tried('quay.io/team/app:2', ...manifests)[0]).toBe(`https://${B}/v2/tags/app/manifests/2`)
    expect(tried(`quay.io/team/app@${DIGEST}`, ...manifests)[0]).toBe(
      `https://${A}/v2/digests/app/manifests/${DIGEST}`,
    )
  })

  it('of one source are merged so that every order holds (o05)', () => {
    const manifests = [
      idms({source: 'quay.io/team', mirrors: [B, C]}),
      icsp({source: 'quay.io/team', mirrors: [A, B]}),
    ]
    expect(tried(`quay.io/team/app@${DIGEST}`, ...manifests).map((line) => line.slice(8, 16))).toEqual([
      'mirror-a',
      'mirror-b',
      'mirror-c',
      'quay.io/',
    ])
  })

  it('that contradict each other are ordered by name, and a source before a mirror stays there', () => {
    const hosts = (...manifests: readonly string[]): readonly string[] =>
      tried(`quay.io/team/app@${DIGEST}`, ...manifests).map((line) => line.slice(8, 16))
    expect(
      hosts(idms({source: 'quay.io/team', mirrors: [B, A]}, {source: 'quay.io/team', mirrors: [A, B]})),
    ).toEqual(['mirror-a', 'mirror-b', 'quay.io/'])
    expect(hosts(idms({source: 'quay.io/team', mirrors: ['quay.io/team', A]}))).toEqual([
      'quay.io/',
      'mirror-a',
      'quay.io/',
    ])
  })

  it('apply by the most specific source alone (o10)', () => {
    const manifest = idms({source: 'quay.io', mirrors: [A]}, {source: 'quay.io/team', mirrors: [`${B}/team`]})
    expect(tried(`quay.io/team/app@${DIGEST}`, manifest)).toEqual([
      `https://${B}/v2/team/app/manifests/${DIGEST}`,
      `https://quay.io/v2/team/app/manifests/${DIGEST} public`,
    ])
  })

  it('cover sub-domains with a wildcard (o11)', () => {
    const manifest = idms({source: '*.redhat.io', mirrors: [A]})
    expect(tried(`registry.redhat.io/ubi9@${DIGEST}`, manifest)[0]).toBe(
      `https://${A}/v2/ubi9/manifests/${DIGEST}`,
    )
  })

  it('with only the source as a mirror are ignored together with their policy', () => {
    const manifest = idms({source: 'quay.io', mirrors: [], mirrorSourcePolicy: 'NeverContactSource'})
    expect(tried('quay.io/a/b:1', manifest)).toEqual(['https://quay.io/v2/a/b/manifests/1 public'])
  })

  it('are found inside lists, of several documents, and name the file and the line', () => {
    const text = `apiVersion: v1
kind: List
items:
- apiVersion: config.openshift.io/v1
  kind: ImageTagMirrorSet
  metadata: {name: t}
  spec:
    imageTagMirrors:
    - source: quay.io/team
      mirrors:
      - ${A}/team
`
    const explanation = explained('quay.io/team/app:2', 'openshift', files(`kind: Other\n---\n${text}`))
    expect(explanation.tries.map(({source}) => source)).toEqual([
      '/manifests/0.yaml:13: mirror 1 of [quay.io/team]',
      '/manifests/0.yaml:11: location of [quay.io/team], always asked last',
    ])
  })
})

describe('NeverContactSource', () => {
  const never = {source: 'quay.io/team', mirrors: [`${A}/team`], mirrorSourcePolicy: 'NeverContactSource'}

  it('blocks the source for tags too, which have no mirror here (o07)', () => {
    expect(tried(`quay.io/team/app@${DIGEST}`, idms(never))).toEqual([
      `https://${A}/v2/team/app/manifests/${DIGEST}`,
      expect.stringMatching(/^blocked: registry quay\.io\/team is blocked/),
    ])
    expect(tried('quay.io/team/app:2', idms(never))).toEqual([
      expect.stringMatching(/^blocked: registry quay\.io\/team is blocked/),
    ])
    expect(tried('quay.io/team/app:2', idms(never), itms(never))).toHaveLength(2)
  })

  it('must be set in every object with the source, or nothing is rendered (o06)', () => {
    for (const other of [
      itms({source: 'quay.io/team', mirrors: [B]}),
      icsp({source: 'quay.io/team', mirrors: [B]}),
    ])
      expect(tried('quay.io/team/app:2', idms(never), other)).toEqual([
        'error: could not update registries config with new changes: conflicting mirrorSourcePolicy is set for the same source "quay.io/team" in imagedigestmirrorsets, imagetagmirrorsets, or imagecontentsourcepolicies',
      ])
  })

  it('with the source among the mirrors is an error (o09)', () => {
    expect(tried('quay.io/team/app:2', idms({...never, mirrors: [A, 'quay.io/team']}))[0]).toMatch(
      /cannot set mirrorSourcePolicy: NeverContactSource if the source "quay\.io\/team" is one of the mirrors/,
    )
  })
})

describe('names of sources and mirrors', () => {
  it.each([
    [
      {source: 'quay.io', mirrors: [`https://${A}`]},
      'invalid format for mirror "https://mirror-a.example.net:5443"',
    ],
    [{source: 'quay.io', mirrors: [`${A}/x:1`]}, 'invalid format for mirror "mirror-a.example.net:5443/x:1"'],
    [{source: 'quay.io', mirrors: ['*.example.net']}, 'invalid format for mirror "*.example.net"'],
    [{source: 'quay.io/', mirrors: [A]}, 'invalid format for source "quay.io/"'],
    [{source: '*.quay.io/x', mirrors: [A]}, 'invalid format for source "*.quay.io/x"'],
  ])('are refused with a scheme, a tag or a misplaced wildcard: %j (m22)', (rule, message) => {
    expect(tried('gcr.io/a/b:1', icsp(rule))).toEqual([
      `error: could not update registries config with new changes: ${message}`,
    ])
  })
})
