import {formatReference, mediaTypes, type Digest} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import {fitName} from '#src/names/fit-name.js'
import {recordedName, referenceIn} from '#src/names/recorded-name.js'

const digest: Digest = `sha256:${'a'.repeat(64)}`
const other: Digest = `sha256:${'b'.repeat(64)}`
function recorded(annotations: Record<string, string>, zarf = false) {
  const found = recordedName({mediaType: mediaTypes.ociManifest, digest, size: 1, annotations}, {zarf})
  return found.name === undefined ? found : formatReference(found.name)
}

const CONTAINERD = 'io.containerd.image.name'
const HAULER = 'hauler.dev/original-ref'
const REF = 'org.opencontainers.image.ref.name'
const BASE = 'org.opencontainers.image.base.name'
const SOURCE = 'containerd.io/distribution.source.ghcr.io'

describe('the name of a descriptor', () => {
  test.each([
    [{[CONTAINERD]: 'a.example/one:1', [HAULER]: 'a.example/two:2'}, 'a.example/one:1'],
    [{[HAULER]: 'a.example/two:2', [REF]: 'a.example/three:3'}, 'a.example/two:2'],
    [{[REF]: 'a.example/three:3', [BASE]: 'a.example/four:4'}, 'a.example/three:3'],
    [{[REF]: 'three:3'}, 'docker.io/library/three:3'],
    [{[CONTAINERD]: 'Not A Name', [REF]: 'a.example/three:3'}, 'a.example/three:3'],
    [{[CONTAINERD]: `a.example/one@${digest}`}, `a.example/one@${digest}`],
    [{}, {}],
    [{[BASE]: 'a.example/four:4'}, {}],
    [{[REF]: 'v1'}, {tag: 'v1'}],
    [
      {[REF]: 'v1', [SOURCE]: 'a/b,c/d'},
      {tag: 'v1', shownAs: 'ghcr.io/a/b:v1'},
    ],
    [{[REF]: digest}, {shownAs: digest}],
    [{[CONTAINERD]: 'Not A Name'}, {shownAs: 'Not A Name', refused: 'Not A Name'}],
  ])('%j is %j', (annotations, expected) => {
    expect(recorded(annotations)).toEqual(expected)
  })

  test('base.name counts in zarf packages, after ref.name', () => {
    expect(recorded({[BASE]: 'a.example/four:4'}, true)).toBe('a.example/four:4')
    expect(recorded({[BASE]: 'a.example/four:4', [REF]: 'a.example/three:3'}, true)).toBe('a.example/three:3')
  })
})

test('texts that are not references give no name', () => {
  for (const text of ['<none>:<none>', '', digest, 'a.example/UPPER', undefined]) {
    expect(referenceIn(text)).toBeUndefined()
  }
})

describe('a name that carries a digest', () => {
  const name = {registry: 'a.example', repository: 'b'}

  test('stays if the image has this digest', () => {
    expect(fitName({...name, digest}, digest)).toEqual({name: {...name, digest}})
    expect(fitName({...name, tag: 'v1', digest}, digest)).toEqual({name: {...name, tag: 'v1', digest}})
  })

  test('gives way to the image’s own, and says so', () => {
    expect(fitName({...name, digest}, other)).toEqual({
      name: {...name, digest: other},
      digestChanged: expect.stringContaining(digest) as string,
    })
    expect(fitName({...name, tag: 'v1', digest}, other)).toMatchObject({name: {...name, tag: 'v1'}})
    expect(fitName({...name, tag: 'v1', digest}, other).name).not.toHaveProperty('digest')
  })
})
