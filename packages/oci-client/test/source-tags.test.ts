import {createServer, type RequestListener} from 'node:http'
import {describe, expect, it} from 'vitest'
import {parseReference} from '#src/model/index.js'
import {addImage, makeImage} from '../../../test/kit/index.js'
import {listen} from './http-loopback.js'
import {useSources} from './source-kit.js'

const {serve, open} = useSources()

async function listFrom(answer: RequestListener): Promise<readonly string[]> {
  const server = await listen(createServer(answer))
  try {
    return await open([]).listTags(`127.0.0.1:${server.port}`, 'a/b')
  } finally {
    await server.close()
  }
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
      const answer: RequestListener = (request, response) => {
        if (!request.url?.startsWith('/v2/a/b/tags/list?')) return response.writeHead(400).end()
        if (request.url.includes('last=')) return response.end('{"name":"a/b","tags":["v3"]}')
        response.setHeader('link', `<http://nexus.example:8081${path}?n=2&last=v2>; rel="next"`)
        return response.end('{"name":"a/b","tags":["v1","v2"]}')
      }
      expect(await listFrom(answer)).toEqual(['v1', 'v2', 'v3'])
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
    expect(await listFrom((_request, response) => response.end(body))).toEqual(tags)
  })

  it.each<[string, RequestListener, string]>([
    ['a page', (_request, response) => response.end('<html>hello</html>'), 'PROTOCOL'],
    ['a list that is none', (_request, response) => response.end('{"tags":"v1"}'), 'PROTOCOL'],
    [
      'a circle',
      (_request, response) => {
        response.setHeader('link', '</v2/a/b/tags/list?last=v1>; rel="next"')
        response.end('{"tags":["v1"]}')
      },
      'PROTOCOL',
    ],
    [
      'cut, with a link that is not understood',
      (_request, response) => {
        response.setHeader('link', 'rel="next"')
        response.end('{"tags":["v1","v2"]}')
      },
      'PROTOCOL',
    ],
    [
      'pages without end',
      (_request, response) => {
        response.setHeader('link', '</v2/a/b/tags/list?last=v1>; rel="next"')
        response.end('{"tags":[]}')
      },
      'LIMIT_EXCEEDED',
    ],
    [
      'a body without end',
      (_request, response) => {
        const more = (): void => {
          if (!response.destroyed) response.write(' '.repeat(256 * 1024), () => setImmediate(more))
        }
        more()
      },
      'LIMIT_EXCEEDED',
    ],
  ])('that are %s are refused', async (_how, answer, code) => {
    await expect(listFrom(answer)).rejects.toMatchObject({code, side: 'source'})
  })
})
