import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import http from 'node:http'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {
  lacksTool,
  makeAuthority,
  mirrorProgram,
  rawClient,
  requireTool,
  runChild,
  runInTerminal,
  runMirror,
  startChild,
  startDebianRegistry,
  startProxy,
  withTempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {EnvHttpProxyAgent, request} from 'undici'
import {describe, expect, test} from 'vitest'

describe('a child', () => {
  test('has only the environment it is given, its input, and a time limit', async () => {
    const script = 'process.stdin.pipe(process.stdout); console.error(JSON.stringify(process.env))'
    const result = await runChild(process.execPath, ['-e', script], {stdin: 'hello', env: {ONLY: '1'}})
    expect([result.code, result.stdout, JSON.parse(result.stderr)]).toEqual([0, 'hello', {ONLY: '1'}])
    const endless = ['-e', 'setInterval(() => undefined, 1000)']
    await expect(runChild(process.execPath, endless, {timeout: 200})).rejects.toThrow('was killed after')
    const child = startChild(process.execPath, endless)
    child.kill('SIGKILL')
    expect(await child.result).toMatchObject({code: undefined, signal: 'SIGKILL'})
    await expect(runChild('no-such-program', [])).rejects.toThrow('could not be started')
  })

  test('that is the program itself sees no home and no proxy of this machine', async () => {
    const {code, stdout} = await runMirror(['--version'])
    expect([code, mirrorProgram().endsWith(join('packages', 'cli', 'bin', 'run.js'))]).toEqual([0, true])
    expect(stdout).toMatch(/\d+\.\d+\.\d+/)
  })
})

describe('the terminal', () => {
  const ask = `
    const {openSync, writeSync} = require('node:fs')
    const {ReadStream} = require('node:tty')
    const input = new ReadStream(openSync('/dev/tty', 'r'))
    const output = openSync('/dev/tty', 'w')
    const rl = require('node:readline').createInterface({input})
    writeSync(output, 'size ' + input.isTTY + ' name? ')
    rl.once('line', (name) => {
      input.setRawMode(true)
      writeSync(output, 'password? ')
      input.once('data', (data) => {
        console.log(JSON.stringify([name, data.toString().trim(), process.stdout.columns ?? 0]))
        process.exit(3)
      })
    })`

  test('is a real one: it echoes, unless the program says no', async (context) => {
    requireTool(context, 'script', 'stty')
    const env = {PATH: process.env['PATH'], TERM: 'xterm'}
    const dialogue = [
      {expect: /name\? /, send: 'alice\r'},
      {expect: /password\? /, send: 's3cret\r'},
    ]
    const shown = await runInTerminal(process.execPath, ['-e', ask], {dialogue, env})
    expect([shown.code, shown.transcript.match(/s3cret/g)]).toMatchObject([3, ['s3cret']])
    expect(shown.transcript).toMatch(/name\? alice\r\n[^]*\["alice","s3cret",100\]/)

    await withTempDir(async (directory) => {
      const stdout = join(directory, 'out')
      const hidden = await runInTerminal(process.execPath, ['-e', ask], {
        dialogue,
        env,
        stdout,
        stdin: '/dev/null',
      })
      expect(hidden.transcript).not.toContain('s3cret')
      expect(JSON.parse(await readFile(stdout, 'utf8'))).toEqual(['alice', 's3cret', 0])
    })
    const mute = runInTerminal(process.execPath, ['-e', ''], {dialogue, env})
    await expect(mute).rejects.toThrow('never came')
  })
})

describe('the proxy', () => {
  test('alone knows its names, tunnels and forwards, and wants its password', async () => {
    const authority = await makeAuthority()
    const tls = await authority.issue({hosts: ['registry.corp.test']})
    await using secure = await startRegistry({tls})
    await using plain = await startRegistry()
    await using proxy = await startProxy({
      names: {'registry.corp.test:443': secure.host, 'plain.corp.test': plain.host},
      auth: {user: 'p', password: 'q'},
    })
    const through = async (url: string, credentials: string): Promise<number> => {
      const address = `http://${credentials}${proxy.host}`
      const dispatcher = new EnvHttpProxyAgent({
        httpProxy: address,
        httpsProxy: address,
        requestTls: {ca: authority.ca},
      })
      try {
        const {statusCode, body} = await request(url, {dispatcher})
        await body.dump()
        return statusCode
      } finally {
        await dispatcher.destroy()
      }
    }
    expect(await through('https://registry.corp.test/v2/', 'p:q@')).toBe(200)
    await expect(through('https://registry.corp.test/v2/', '')).rejects.toThrow('407')
    await expect(through('https://unknown.corp.test/v2/', 'p:q@')).rejects.toThrow('502')
    expect(proxy.requests.map(({method, target, status}) => [method, target, status])).toEqual([
      ['CONNECT', 'registry.corp.test:443', 200],
      ['CONNECT', 'registry.corp.test:443', 407],
      ['CONNECT', 'unknown.corp.test:443', 502],
    ])
    expect(proxy.bytes.up).toBeGreaterThan(0)
    const [host, port] = proxy.host.split(':')
    const status = await new Promise((resolve, reject) => {
      const authorization = `Basic ${Buffer.from('p:q').toString('base64')}`
      const path = 'http://plain.corp.test/v2/'
      http
        .get({host, port, path, headers: {'proxy-authorization': authorization}}, (answer) =>
          resolve(answer.statusCode),
        )
        .once('error', reject)
    })
    expect([status, plain.requests[0]?.headers['proxy-authorization']]).toEqual([200, undefined])
  })
})

describe.skipIf(lacksTool('docker-registry'))('Debian’s registry', () => {
  test('runs with TLS and htpasswd, and goes on with an upload after it was killed', async () => {
    const authority = await makeAuthority()
    const tls = await authority.issue({hosts: ['127.0.0.1']})
    await using registry = await startDebianRegistry({tls, htpasswd: {alice: 'p:w'}})
    await using client = rawClient(registry.url, {ca: authority.ca})
    const headers = {authorization: `Basic ${Buffer.from('alice:p:w').toString('base64')}`}
    expect((await client.send('GET', '/v2/')).status).toBe(401)
    const started = await client.send('POST', '/v2/a/b/blobs/uploads/', {headers})
    expect(started.status).toBe(202)
    const {pid} = registry
    await registry.kill()
    await registry.start()
    expect(registry.pid).not.toBe(pid)
    const bytes = Buffer.from('content')
    const url = `${started.headers['location']}&digest=${encodeURIComponent(digestOf(bytes))}`
    expect((await client.send('PUT', url, {headers, body: bytes})).status).toBe(201)
    expect(registry.log).toContain('response completed')
  })

  test('says why it does not start', async () => {
    await expect(startDebianRegistry({tls: {cert: 'no', key: 'no'}})).rejects.toThrow(
      /did not start:\n[^]*PEM/,
    )
  })

  test('can be read-only', async () => {
    await using registry = await startDebianRegistry({readOnly: true})
    await using client = rawClient(registry.url)
    expect((await client.send('POST', '/v2/a/b/blobs/uploads/')).status).toBe(405)
  })
})
