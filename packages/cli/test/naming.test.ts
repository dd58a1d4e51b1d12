import {formatReference, parseReference, type Digest} from '@airgap-mirror/oci-client/model'
import {describe, expect, it} from 'vitest'
import {mapName, referenceKey, type NamingRules} from '#src/names/naming.js'
import {parseRegistryTarget} from '#src/names/registry-target.js'
import {parseRewriteRule} from '#src/names/rewrite.js'

const digest: Digest = `sha256:${'a'.repeat(64)}`

function rules(changes: Partial<NamingRules> = {}): NamingRules {
  return {
    registry: 'reg.example:5000',
    namespace: 'ns',
    mapHost: 'drop',
    rewrites: [],
    map: new Map(),
    maxDepth: undefined,
    ...changes,
  }
}

function mapped(source: string, changes: Partial<NamingRules> = {}): string {
  return formatReference(mapName({name: parseReference(source)}, rules(changes)))
}

describe('where an image goes', () => {
  it.each([
    ['gcr.io/a/b:v', 'reg.example:5000/ns/a/b:v'],
    ['busybox', 'reg.example:5000/ns/library/busybox:latest'],
    ['docker.io/rancher/pause:3.1', 'reg.example:5000/ns/rancher/pause:3.1'],
    [`gcr.io/a/b@${digest}`, `reg.example:5000/ns/a/b@${digest}`],
    [`gcr.io/a/b:v@${digest}`, `reg.example:5000/ns/a/b:v@${digest}`],
    ['localhost:5000/a:v', 'reg.example:5000/ns/a:v'],
  ])('%s becomes %s: the host is dropped, the path kept under the namespace', (source, target) => {
    expect(mapped(source)).toBe(target)
  })

  it.each([
    ['gcr.io/a/b:v', 'reg.example:5000/ns/gcr.io/a/b:v'],
    ['reg:5000/a:v', 'reg.example:5000/ns/reg-5000/a:v'],
    ['[::1]:5000/a:v', 'reg.example:5000/ns/1-5000/a:v'],
  ])('with --map-host keep %s becomes %s', (source, target) => {
    expect(mapped(source, {mapHost: 'keep'})).toBe(target)
  })

  it('rewrites the path in order, before the namespace is put in front', () => {
    const rewrites = ['^rancher/(.*)=project/rancher-$1', '^project=p'].map(parseRewriteRule)
    expect(mapped('docker.io/rancher/pause:3.1', {rewrites})).toBe('reg.example:5000/ns/p/rancher-pause:3.1')
  })

  it('joins components that are too deep, the namespace counted', () => {
    expect(mapped('gcr.io/a/b/c/d:v', {maxDepth: 3})).toBe('reg.example:5000/ns/a/b-c-d:v')
    expect(mapped('gcr.io/a:v', {maxDepth: 3})).toBe('reg.example:5000/ns/a:v')
  })

  it('lets a line of the map win over every rule', () => {
    const map = new Map([['gcr.io/a/b:v', 'elsewhere/b:w']])
    expect(mapped('gcr.io/a/b:v', {map, mapHost: 'keep'})).toBe('reg.example:5000/ns/elsewhere/b:w')
    const absolute = new Map([['gcr.io/a/b:v', 'reg.example:5000/top/b']])
    expect(mapped('gcr.io/a/b:v', {map: absolute})).toBe('reg.example:5000/top/b:v')
  })

  it('names an unnamed image by its digest or by what the bundle calls it', () => {
    const byDigest = rules({map: new Map([[digest, 'app:v1']])})
    expect(formatReference(mapName({digest}, byDigest))).toBe('reg.example:5000/ns/app:v1')
    const byHint = rules({map: new Map([['v1', 'app:v1']])})
    expect(formatReference(mapName({digest, shownAs: 'v1'}, byHint))).toBe('reg.example:5000/ns/app:v1')
  })

  it('asks for a name where there is none', () => {
    expect(() => mapName({digest, shownAs: 'v1'}, rules())).toThrow(
      expect.objectContaining({code: 'NAME_MISSING'}),
    )
  })

  it('refuses what no registry takes as a repository', () => {
    const rewrites = [parseRewriteRule('^.*$=Not//Valid')]
    expect(() => mapped('gcr.io/a:v', {rewrites})).toThrow(expect.objectContaining({code: 'NAME_INVALID'}))
  })
})

describe('--rewrite', () => {
  it.each([
    ['^a/(.*)=b/$1', 'a/x', 'b/x'],
    ['(?P<first>[a-z]+)/(.*)=${2}/${first}', 'a/x', 'x/a'],
    ['a=$$', 'a/a', '$/$'],
    ['a=$1x', 'a', ''],
    ['x=y', 'a/b', 'a/b'],
    ['a==b', 'a=', 'b'],
  ])('%s turns %s into %s, as Go does', (rule, path, result) => {
    expect(parseRewriteRule(rule).apply(path)).toBe(result)
  })

  it.each(['(?=a)=b', String.raw`(a)\1=b`, 'no equals sign', '=b', '(=b'])(
    'refuses %s, as RE2 does',
    (rule) => {
      expect(() => parseRewriteRule(rule)).toThrow(expect.objectContaining({code: 'USAGE'}))
    },
  )

  it('takes no time for an expression that would stall a backtracking engine', () => {
    expect(parseRewriteRule('^(a+)+$=b').apply(`${'a'.repeat(50_000)}!`)).toHaveLength(50_001)
  })
})

describe('--private-registry', () => {
  it.each([
    ['10.0.0.1:5000', {registry: '10.0.0.1:5000', namespace: ''}],
    ['host/ns/deeper/', {registry: 'host', namespace: 'ns/deeper'}],
    ['[::1]:5000/ns', {registry: '[::1]:5000', namespace: 'ns'}],
  ])('%s is a host and a namespace', (text, parts) => {
    expect(parseRegistryTarget(text)).toEqual(parts)
  })

  it.each(['', 'https://host/ns', 'host/NS', 'ho st', 'host:port', 'host/ns:tag'])('refuses %j', (text) => {
    expect(() => parseRegistryTarget(text)).toThrow(expect.objectContaining({code: 'USAGE'}))
  })

  it.each([
    ['host:5000/v2/ns', 'names the API of the registry', 'Write host:5000/ns:'],
    ['host:5000/v2', 'names the API of the registry', 'Write host:5000:'],
    ['host:99999', 'has the port 99999: ports are from 1 to 65535', 'Write HOST'],
    ['host:0/ns', 'has the port 0', 'Write HOST'],
    ['host/Team', 'has capital letters in its namespace', 'Write HOST'],
    ['host/a//b', 'two slashes in a row', 'Write HOST'],
  ])('%s is refused, and says why', (text, message, hint) => {
    expect(() => parseRegistryTarget(text)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      }),
    )
  })
})

it('knows a reference without a tag as the one with latest', () => {
  expect(referenceKey(parseReference('busybox'))).toBe('docker.io/library/busybox:latest')
})
