import {once} from 'node:events'
import {connect} from 'node:net'
import {expect, test} from 'vitest'
import {startScripted} from '@airgap-mirror/test/kit'

test('a scripted server answers by the first route that fits, and records the requests', async () => {
  await using server = await startScripted({
    '/v2/': {json: {}},
    'HEAD /v2/*/manifests/*': {headers: {etag: '"a.b"'}, body: 'manifest'},
    'PUT /v2/*?digest=*': ({body}) => ({status: 201, body: Buffer.from(`got ${body.toString()}`)}),
    '/v2/*': {status: 403},
  })
  const ask = async (path: string, init?: RequestInit): Promise<string> => {
    const response = await fetch(`${server.origin}${path}`, init)
    return `${response.status} ${response.headers.get('content-length')} ${await response.text()}`
  }
  expect(await ask('/v2/')).toBe('200 2 {}')
  expect(await ask('/v2/a/b/manifests/v1', {method: 'HEAD'})).toBe('200 8 ')
  expect(await ask('/v2/a/b/manifests/v1')).toBe('403 0 ')
  expect(await ask('/v2/a/uploads/1?digest=x', {method: 'PUT', body: 'blob'})).toBe('201 8 got blob')
  expect(await ask('/v3/')).toBe('404 0 ')
  expect(server.asked.map(({method, path}) => `${method} ${path}`)).toContain('PUT /v2/a/uploads/1?digest=x')
})

test('a scripted server cuts a body, hangs up, and sends a body that never ends for as long as it is read', async () => {
  let isEnded = false
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(1000)
    } finally {
      isEnded = true
    }
  }
  await using server = await startScripted({
    '/cut': {body: Buffer.alloc(100_000), cutAt: 50_000},
    '/gone': 'hang-up',
    '/endless': () => ({body: endless()}),
  })
  const cut = await fetch(`${server.origin}/cut`)
  expect([cut.status, cut.headers.get('content-length')]).toEqual([200, '100000'])
  await expect(cut.arrayBuffer()).rejects.toThrow('terminated')
  await expect(fetch(`${server.origin}/gone`)).rejects.toThrow('fetch failed')
  const reader = (await fetch(`${server.origin}/endless`)).body?.getReader()
  expect((await reader?.read())?.done).toBe(false)
  await reader?.cancel()
  await expect.poll(() => isEnded).toBe(true)
})

test('a scripted server that is silent ends its connections when it closes', async () => {
  const server = await startScripted({'*': 'silence'})
  const socket = connect(server.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await expect.poll(() => server.asked.length).toBe(1)
  await server.close()
  await server.close()
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
  expect(server.connections()).toBe(1)
})
