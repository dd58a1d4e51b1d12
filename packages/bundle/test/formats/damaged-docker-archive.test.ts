import {describe, expect, test} from 'vitest'
import {base, first, other, pendingOf, podman, top, withContent} from '../fixtures/docker-archives.js'
import type {LiteralEntry} from '../fixtures/literal-tar.js'
import {bytesOf, errorOf, openTar} from '../fixtures/opened.js'
import {config, json} from '../fixtures/parts.js'

describe('damaged docker-archives', () => {
  test('a plain layer with other bytes than its diff id is refused, compressed or not', async () => {
    const entries = podman([{config: first, layers: [base, top], tags: ['a/b:c']}])
    await using bundle = await openTar(withContent(entries, `${top.hex}.tar`, other.bytes))
    const layer = pendingOf(bundle.images[0]).layers[1]
    if (layer === undefined) throw new Error('no layer')
    expect(await errorOf(bytesOf(bundle.source, layer))).toMatchObject({
      code: 'DIGEST_MISMATCH',
      side: 'source',
    })
  })

  test('a missing layer fails only its image, and is named', async () => {
    const entries = podman([
      {config: first, layers: [base, top], tags: ['a/b:c']},
      {config: config(other), layers: [other], tags: ['a/d:e']},
    ]).filter(({path}) => path !== `${top.hex}.tar`)
    await using bundle = await openTar(entries)
    const [, layer] = pendingOf(bundle.images[0]).layers
    if (layer === undefined) throw new Error('no layer')
    expect(bundle.source.has(layer)).toBe(false)
    expect(() => bundle.source.blob(layer)).toThrow(
      expect.objectContaining({code: 'BLOB_MISSING', message: expect.stringContaining('a/b:c')}),
    )
    expect(pendingOf(bundle.images[1]).layers.every((one) => bundle.source.has(one))).toBe(true)
  })

  test.each([
    [
      'a circle',
      [
        {path: 'a.tar', type: '2', link: 'b.tar'},
        {path: 'b.tar', type: '2', link: 'a.tar'},
      ],
    ],
    ['a way out', [{path: 'a.tar', type: '2', link: '../../etc/passwd'}]],
  ] satisfies [string, LiteralEntry[]][])(
    'layers linked in %s are reported as such',
    async (_what, links) => {
      const own = config(base)
      await using bundle = await openTar([
        ...links,
        {path: `${own.hex}.json`, content: own.bytes},
        json('manifest.json', [{Config: `${own.hex}.json`, RepoTags: ['a/b:c'], Layers: ['a.tar']}]),
      ])
      const [layer] = pendingOf(bundle.images[0]).layers
      if (layer === undefined) throw new Error('no layer')
      expect(() => bundle.source.blob(layer)).toThrow(/a\.tar of a\/b:c is a link that leads/)
    },
  )

  test.each([
    ['null', 'null', 'MANIFEST_INVALID', /is null/],
    ['an item of another kind', JSON.stringify([{Config: 'c', Layers: []}, 3]), 'MANIFEST_INVALID', /\[1\]/],
    ['layers that are no texts', JSON.stringify([{Config: 'c', Layers: [1]}]), 'MANIFEST_INVALID', /Layers/],
    ['no JSON', '{"Config"', 'MANIFEST_INVALID', /not JSON/],
    ['an empty list', '[]', 'SOURCE_EMPTY', /no images/],
    ['a config that is not there', JSON.stringify([{Config: 'c', Layers: []}]), 'BLOB_MISSING', /config c /],
  ] as const)('manifest.json with %s is refused', async (_what, content, code, message) => {
    const error = await errorOf(openTar([{path: 'manifest.json', content}]))
    expect(error).toMatchObject({code, side: 'source'})
    expect(error.message).toMatch(message)
  })

  test('a config with another digest than its name is refused', async () => {
    const entries = podman([{config: first, layers: [base, top], tags: ['a/b:c']}])
    const lying = withContent(entries, `${first.hex}.json`, config(base, other).bytes)
    const error = await errorOf(openTar(lying))
    expect(error).toMatchObject({code: 'DIGEST_MISMATCH', side: 'source'})
    expect(error.message).toContain('a/b:c')
  })

  test('a config with another number of layers is refused', async () => {
    const own = config(base)
    const error = await errorOf(
      openTar([
        {path: `${own.hex}.json`, content: own.bytes},
        json('manifest.json', [{Config: `${own.hex}.json`, RepoTags: ['a/b:c'], Layers: []}]),
      ]),
    )
    expect(error).toMatchObject({code: 'MANIFEST_INVALID'})
    expect(error.message).toContain('a/b:c')
  })

  test('an archive of docker before 1.10 is refused with advice', async () => {
    const error = await errorOf(openTar([{path: 'abc/layer.tar', content: 'x'}, json('repositories', {})]))
    expect(error).toMatchObject({code: 'SOURCE_UNSUPPORTED'})
    expect(error.advice).toEqual({kind: 'save-with-current-docker'})
  })
})
