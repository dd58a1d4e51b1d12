import {describe, expect, it} from 'vitest'
import {parseReference} from '#src/model/index.js'
import {addImage, makeImage, startScripted, type Answer, type Script} from '../../../test/kit/index.js'
import {useSources} from './source-kit.js'

const {serve, open} = useSources()

async function listFrom(answer: Answer | Script): Promise<readonly string[]> {
  await using server = await startScripted({'*': answer})
  return await open([]).listTags(server.host, 'a/b')
}

function linked(link: string, body: string): Answer {
  return {headers: {link}, body}
}

async function* spaces(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(256 * 1024, ' ')
}

describe('the tags of a repository', () => {
  it('are listed page by page', async () => {
    const registry = await serve({maxPage: 7})
    const image = await makeImage({seed: 'tags'})
    const tags = Array.from({length: 30}, (_, index) => `v${String(index).padStart(2, '0')}`)
    for (const tag of tags) await addImage(registry, image, {repository: 'a/b', tag})
    const source = open([])
    expect(await source.listTags(registry.host, 'a/b')).toEqual(tags)
    expect(source.usage.requests).toBe(5)
  })

  it('are asked for without a page size where that is refused', async () => {
    const refuse = {
      match: {path: /[?]n=1000$/},
      times: Infinity,
      fault: {type: 'status' as const, status: 400},
    }
    const registry = await serve({faults: [refuse]})
    await addImage(registry, await makeImage({seed: 'plain'}), {repository: 'a', tag: 'v1'})
    expect(await open([]).listTags(registry.host, 'a')).toEqual(['v1'])
  })

  it.each(['/repository/docker-proxy/v2/a/b/tags/list', '/v2/b/tags/list', '/v2/a/b/tags/list'])(
    'are read to the end if the next page is named as %s, which is not served at this address',
    async (path) => {
      const link = `<http://nexus.example:8081${path}?n=2&last=v2>; rel="next"`
      await using server = await startScripted({
        '/v2/a/b/tags/list?*last=*': {body: '{"name":"a/b","tags":["v3"]}'},
        '/v2/a/b/tags/list?*': linked(link, '{"name":"a/b","tags":["v1","v2"]}'),
        '*': {status: 400},
      })
      expect(await open([]).listTags(server.host, 'a/b')).toEqual(['v1', 'v2', 'v3'])
    },
  )

  it('come from the mirror of their registry', async () => {
    const registry = await serve()
    await addImage(registry, await makeImage({seed: 'mirror'}), {repository: 'cache/a', tag: 'v1'})
    const mirrors = () => [parseReference(`${registry.host}/cache/a`)]
    expect(await open([], {mirrors}).listTags('registry.example', 'a')).toEqual(['v1'])
  })

  it('that do not exist are told of', async () => {
    const registry = await serve()
    await expect(open([]).listTags(registry.host, 'nothing')).rejects.toMatchObject({
      code: 'REPOSITORY_UNKNOWN',
      side: 'source',
    })
  })

  it.each<[string, string, readonly string[]]>([
    ['null', '{"name":"a/b","tags":null}', []],
    ['absent', '{"name":"a/b"}', []],
    ['given twice, or not valid', '{"tags":["v1","v1","..","a b",7,"v2"]}', ['v1', 'v2']],
  ])('may be %s', async (_how, body, tags) => {
    expect(await listFrom({body})).toEqual(tags)
  })

  const next = '</v2/a/b/tags/list?last=v1>; rel="next"'
  it.each<[string, Answer | Script, string]>([
    ['a page', {body: '<html>hello</html>'}, 'PROTOCOL'],
    ['a list that is none', {body: '{"tags":"v1"}'}, 'PROTOCOL'],
    ['a circle', linked(next, '{"tags":["v1"]}'), 'PROTOCOL'],
    ['cut, with a link that is not understood', linked('rel="next"', '{"tags":["v1","v2"]}'), 'PROTOCOL'],
    ['pages without end', linked(next, '{"tags":[]}'), 'LIMIT_EXCEEDED'],
    ['a body without end', () => ({body: spaces()}), 'LIMIT_EXCEEDED'],
  ])('that are %s are refused', async (_how, answer, code) => {
    await expect(listFrom(answer)).rejects.toMatchObject({code, side: 'source'})
  })
})
