import {describe, expect, it} from 'vitest'
import {parseGoUrl} from '#src/cluster/go-url.js'
import {readImageName} from '#src/cluster/names.js'
import {isPublicHost} from '#src/cluster/public-registry.js'
import {readToml} from '#src/cluster/toml/read-toml.js'
import type {TomlTable} from '#src/cluster/toml/toml-document.js'
import {readYamlDocuments} from '#src/cluster/yaml/read-yaml-documents.js'
import {booleanOf, textOf, valueAt} from '#src/cluster/yaml/yaml-node.js'

describe('TOML', () => {
  const text = `server = "a"
[host."https://b:5443"]
  ca = ["x", "y"]
[host."https://a".header]
  h = "1"
[[list]]
k = 1
[[list]]
k = 2
[list.deep]
d = true
`

  it('is read with the headers in the order of the file and their lines', () => {
    const {document} = readToml(text)
    expect(document?.headers).toEqual([
      {path: ['host', 'https://b:5443'], line: 2},
      {path: ['host', 'https://a', 'header'], line: 4},
      {path: ['list'], line: 6},
      {path: ['list'], line: 8},
      {path: ['list', 'deep'], line: 10},
    ])
  })

  it('is read with the line of each key', () => {
    const {document} = readToml(text)
    expect(document?.root.table('host', 'https://b:5443')?.get('ca')?.line).toBe(3)
    expect(document?.root.table('host', 'https://a', 'header')?.get('h')).toEqual({value: '1', line: 5})
  })

  it('gives a table below an array of tables to its last item', () => {
    const items = readToml(text).document?.root.get('list')?.value
    const tables = Array.isArray(items) ? items.map(({value}) => value as TomlTable) : []
    expect(tables.map((table) => table.get('k')?.value)).toEqual([1n, 2n])
    expect(tables.map((table) => table.table('deep')?.get('d')?.value)).toEqual([undefined, true])
  })

  it('that is not valid gives the line of the fault and does not throw', () => {
    expect(readToml('a = 1\n[host.https://b]\n').fault?.line).toBe(2)
    expect(readToml('a = 1\na = 2\n').fault?.line).toBe(2)
    expect(readToml(`a = ${'['.repeat(100_000)}`).fault).toBeDefined()
    expect(readToml('a = "\ufffd"').fault).toBeDefined()
  })
})

describe('YAML', () => {
  it('is read with lines, in all documents', () => {
    const {documents} = readYamlDocuments('a: 1\n---\nb:\n  c: yes\n  d: "yes"\n')
    const c = valueAt(documents?.[1], 'b', 'c')
    expect([c?.line, booleanOf(c), booleanOf(valueAt(documents?.[1], 'b', 'd'))]).toEqual([
      4,
      true,
      undefined,
    ])
  })

  it('takes a repeated key as go-yaml does: the last counts', () => {
    const {documents} = readYamlDocuments('a: 1\na: 2\n')
    expect(textOf(valueAt(documents?.[0], 'a'))).toBe('2')
  })

  it('merges what << names, and own keys win', () => {
    const {documents} = readYamlDocuments('x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n')
    const at = (key: string): string | undefined => textOf(valueAt(documents?.[0], 'y', key))
    expect([at('a'), at('b')]).toEqual(['1', '3'])
  })

  it('whose aliases multiply is refused', () => {
    const levels = Array.from({length: 12}, (_, index) => {
      const below = index === 0 ? 'x' : `*l${index - 1}`
      return `l${index}: &l${index} [${Array.from({length: 10}, () => below).join(', ')}]`
    })
    expect(readYamlDocuments(levels.join('\n')).fault?.message).toMatch(/multiply/)
  })
})

describe('an image name', () => {
  it.each([
    ['nginx', 'docker.io', 'library/nginx', 'latest'],
    ['index.docker.io/nginx:1', 'docker.io', 'library/nginx', '1'],
    ['registry-1.docker.io/team/app:1', 'registry-1.docker.io', 'team/app', '1'],
    ['localhost:5001/app', 'localhost:5001', 'app', 'latest'],
  ])('%s is at %s', (typed, registry, repository, tag) => {
    expect(readImageName(typed)).toEqual({registry, repository, tag})
  })

  it('with tag and digest is one by digest', () => {
    const digest = `sha256:${'a'.repeat(64)}`
    expect(readImageName(`quay.io/a/b:1@${digest}`)).toEqual({registry: 'quay.io', repository: 'a/b', digest})
  })
})

describe('a URL', () => {
  it('keeps its port as written', () => {
    expect(parseGoUrl('https://h:443/a')).toMatchObject({scheme: 'https', host: 'h:443', path: '/a'})
  })

  it.each(['h:5000', 'https://h:x', 'https://h/%zz', 'https://a b/'])('%s is not valid', (text) => {
    expect(parseGoUrl(text)).toBeUndefined()
  })
})

describe('a host', () => {
  it.each([
    ['quay.io', true, true],
    ['registry-1.docker.io', false, true],
    ['docker.n8n.io', true, true],
    ['docker.n8n.io', false, false],
    ['registry.corp.example:5000', true, false],
    ['mirror.example.net', false, false],
    ['10.0.0.1', true, false],
    ['registry', true, false],
  ])('%s, the own registry of an image: %s, is public: %s', (host, isOwn, expected) => {
    expect(isPublicHost(host, {isOwn})).toBe(expected)
  })
})
