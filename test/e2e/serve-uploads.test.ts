import {mkdir, readdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {
  cleanEnvironment,
  makeImage,
  mirrorProgram,
  rawClient,
  runChild,
  runMirror,
  withTempDir,
} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'
import {codeOf, content, digest, onStage, putManifest, temporaries} from './writable-stage.js'

describe('mirror serve --writable', () => {
  test(
    'takes a blob whole, in chunks and by a mount, tells how far an upload is, and cancels it',
    onStage(async ({at, serve}) => {
      await using server = await serve()
      await using client = rawClient(server.url)
      const start = async (): Promise<string> =>
        (await client.send('POST', '/v2/a/b/blobs/uploads/')).headers['location'] ?? ''
      const chunk = (location: string, from: number, to: number) =>
        client.send('PATCH', location, {
          body: content.subarray(from, to),
          headers: {'content-range': `${from}-${to - 1}`},
        })
      const cancelled = await start()
      expect((await chunk(cancelled, 0, 1000)).status).toBe(202)
      expect((await client.send('DELETE', cancelled)).status).toBe(204)
      expect((await client.send('GET', cancelled)).status).toBe(404)
      expect(await temporaries(at('pushed'))).toEqual([])

      const location = await start()
      expect((await chunk(location, 0, 70_000)).headers['range']).toBe('0-69999')
      expect((await chunk(location, 0, 70_000)).status).toBe(416)
      expect((await client.send('GET', location)).headers['range']).toBe('0-69999')
      expect((await chunk(location, 70_000, 200_000)).status).toBe(202)
      const unseen = await client.send('HEAD', `/v2/a/b/blobs/${digest}`)
      expect(unseen.status).toBe(404)
      expect((await client.send('PUT', `${location}?digest=${digest}`)).status).toBe(201)
      const mounted = await client.send('POST', `/v2/c/d/blobs/uploads/?mount=${digest}&from=a/b`)
      expect(mounted.status).toBe(201)
      const part = await client.send('GET', `/v2/c/d/blobs/${digest}`, {headers: {range: 'bytes=5-9'}})
      expect([part.status, part.body.equals(content.subarray(5, 10))]).toEqual([206, true])
      const wrong = await client.send('PUT', `${await start()}?digest=${digest}`, {body: content.subarray(1)})
      expect(codeOf(wrong)).toEqual([400, 'DIGEST_INVALID'])
      const long = digestOf(content, 'sha512')
      expect((await client.send('PUT', `${await start()}?digest=${long}`, {body: content})).status).toBe(201)
      const both = await Promise.all(
        [1, 2, 3].map(async () => client.send('PUT', `${await start()}?digest=${digest}`, {body: content})),
      )
      expect(both.map(({status}) => status)).toEqual([201, 201, 201])
      expect(await readdir(at('pushed/blobs/sha256'))).toEqual([digest.slice(7)])
      expect(await temporaries(at('pushed'))).toEqual([])
    }),
  )

  test(
    'refuses names and digests that lead elsewhere, and manifests that name what is not there',
    onStage(async ({at, serve}) => {
      await using server = await serve()
      await using client = rawClient(server.url)
      const post = async (path: string): Promise<number> => (await client.send('POST', path)).status
      for (const name of ['..', '../../etc', 'a/../b', 'a//b', 'A/b', '%2e%2e/x', '.git/x'])
        expect([name, await post(`/v2/${name}/blobs/uploads/`)]).toEqual([name, 400])
      const location = (await client.send('POST', '/v2/a/b/blobs/uploads/')).headers['location'] ?? ''
      for (const bad of [
        'sha256:../../x',
        'sha256:abc',
        `md5:${'0'.repeat(32)}`,
        `sha256:${'G'.repeat(64)}`,
        '',
      ]) {
        const put = await client.send('PUT', `${location}?digest=${encodeURIComponent(bad)}`, {body: 'x'})
        expect([bad, put.status]).toEqual([bad, 400])
      }
      for (const tag of ['..', '-x', 'a%2fb']) {
        const {root} = await makeImage({seed: 'hostile'})
        expect([tag, (await putManifest(client, root, {repository: 'a/b', reference: tag})).status]).toEqual([
          tag,
          400,
        ])
      }
      const image = await makeImage({seed: 'sparse', platforms: ['linux/amd64', 'linux/arm64']})
      expect(codeOf(await putManifest(client, image.root, {repository: 'a/b', reference: 'v1'}))).toEqual([
        400,
        'MANIFEST_BLOB_UNKNOWN',
      ])
      expect(await readFile(at('pushed/index.json'), 'utf8')).not.toContain('a/b')
    }),
  )

  test(
    'that is killed in an upload has no wrong blob, and the next server takes its remains away',
    onStage(async ({at, serve}) => {
      const server = await serve()
      await using client = rawClient(server.url)
      const {location = ''} = (await client.send('POST', '/v2/a/b/blobs/uploads/')).headers
      await client.send('PATCH', location, {body: content.subarray(0, 150_000)})
      server.child.kill('SIGKILL')
      await server.child.result
      expect(await temporaries(at('pushed'))).toHaveLength(1)
      await using next = await serve()
      await using again = rawClient(next.url)
      expect(await temporaries(at('pushed'))).toEqual([])
      expect((await again.send('HEAD', `/v2/a/b/blobs/${digest}`)).status).toBe(404)
      expect((await again.send('GET', location)).status).toBe(404)
    }),
  )

  test(
    'is refused a directory that another server has, holds other things, or has links in it',
    onStage(async ({at, serve}) => {
      await using server = await serve()
      expect(server.host).not.toBe('')
      const attempt = (directory: string) =>
        runMirror(['serve', '--plain-http', '--writable', at(directory), '--state', at('state')])
      await symlink(at('pushed'), at('other-name'))
      for (const name of ['pushed', 'other-name']) {
        const second = await attempt(name)
        expect(second.code).not.toBe(0)
        expect(second.stderr).toContain('another run is at work')
      }
      await mkdir(at('other'))
      await writeFile(at('other/thesis.txt'), 'mine')
      const unlocked = await runMirror(['serve', '--plain-http', '--writable', at('other'), '--no-state'])
      expect(unlocked.stderr).toContain('nothing keeps another server from writing into')
      expect((await attempt('other')).stderr).toContain('holds more than an OCI layout')
      await mkdir(at('linked'))
      await writeFile(at('linked/oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
      await symlink(at('other'), at('linked/blobs'))
      expect((await attempt('linked')).stderr).toContain('is a link')
      expect(await readdir(at('other'))).toEqual(['thesis.txt'])
    }),
  )

  test('answers 507 if its disk is full, and goes on', (context) =>
    withTempDir(async (home) => {
      await mkdir(join(home, 'disk'))
      const script = `mount -t tmpfs -o size=8m none disk || exit 99; node "$1" "$0" disk`
      await writeFile(join(home, 'client.mjs'), CLIENT)
      const args = ['-rm', 'sh', '-c', script, mirrorProgram(), join(home, 'client.mjs')]
      const result = await runChild('unshare', args, {cwd: home, env: cleanEnvironment(home)})
      if (result.code === 99 || result.stderr.startsWith('unshare:')) {
        context.skip(`a small disk cannot be made here: ${result.stderr}`)
        return
      }
      expect(result).toMatchObject({code: 0})
      expect(JSON.parse(result.stdout)).toEqual({large: 507, small: 201, left: []})
      expect(result.stderr).toContain('free')
    }))
})

/** Runs in the namespace that has the small disk: starts the server, and uploads a blob that is too large and one that fits. */
const CLIENT = `
import {spawn} from 'node:child_process'
import {createHash} from 'node:crypto'
import {readdirSync} from 'node:fs'
const args = ['serve', '--plain-http', '--listen', '127.0.0.1:0', '--no-state', '--writable', 'disk/pushed']
const server = spawn('node', [process.argv[2], ...args], {stdio: ['ignore', 'ignore', 'pipe']})
let text = ''
server.stderr.on('data', (bytes) => {
  process.stderr.write(bytes)
  text += bytes
  const url = /on (http:\\S+);/.exec(text)?.[1]
  if (url !== undefined && !server.isAsked) {
    server.isAsked = true
    void ask(url)
  }
})
async function ask(url) {
  const put = async (size) => {
    const body = Buffer.alloc(size, 7)
    const digest = 'sha256:' + createHash('sha256').update(body).digest('hex')
    return (await fetch(url + '/v2/a/b/blobs/uploads/?digest=' + digest, {method: 'POST', body})).status
  }
  const large = await put(12 * 1024 * 1024)
  const small = await put(1000)
  const left = readdirSync('disk/pushed').filter((name) => name.endsWith('.tmp'))
  process.stdout.write(JSON.stringify({large, small, left}))
  server.kill('SIGTERM')
}
`
