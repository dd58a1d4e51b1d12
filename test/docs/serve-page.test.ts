import {copyFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {
  makeAuthority,
  rawClient,
  runMirror,
  startMirrorServer,
  type Authority,
  type MirrorServer,
} from '@airgap-mirror/test/kit'
import {codeBlocks, readPages} from './pages.js'
import {setStage, type Stage} from './stage.js'

const PAGE = 'docs/serve-bundles-to-the-first-nodes.md'
/** The file of `--htpasswd`, for the user "reader" with the password "secret". */
const USERS = 'reader:$2y$05$WdhumQ42MRAObtT/KjXSgeF99I8bpVhJG5exDIKbCNGgNO/DYLeS6\n'

const lines = readPages()
  .filter(({path}) => path === PAGE)
  .flatMap(codeBlocks)
  .filter(({language}) => language === 'bash')
  .flatMap(({text, line}) => text.split('\n').map((command, index) => ({command, line: line + index})))
  .filter(({command}) => command !== '')
const serving = lines.filter(({command}) => command.startsWith('mirror serve '))
const others = lines.filter((line) => !serving.includes(line))

describe(`the commands of ${PAGE}`, () => {
  let stage: Stage
  let authority: Authority
  const at = (name: string): string => join(stage.directory, name)
  const staged = (command: string): string => command.replaceAll('/srv/pushed', at('pushed'))

  beforeAll(async () => {
    stage = await setStage()
    authority = await makeAuthority()
    const {cert, key} = await authority.issue({hosts: ['127.0.0.1']})
    const files = {'cert.pem': cert, 'key.pem': key, users: USERS}
    for (const [name, text] of Object.entries(files)) await writeFile(at(name), text)
    await copyFile(at('images.tar'), at('more.tar'))
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  function serve(args: readonly string[]): Promise<MirrorServer> {
    return startMirrorServer(args, {cwd: stage.directory, home: stage.directory})
  }

  test('there are some', () => {
    expect([serving.length, others.length]).toEqual([4, 1])
  })

  test.for(serving)('$command', async ({command}) => {
    const args = staged(command)
      .replace('mirror serve ', '')
      .replace(/ --listen \S+/, '')
      .split(' ')
    await using server = await serve(args.filter((flag) => flag !== '--plain-http'))
    expect(server.url.startsWith('https:')).toBe(args.includes('--tls-cert'))
    await using client = rawClient(server.url, {ca: authority.ca})
    const {status} = await client.send('GET', '/v2/')
    expect(status).toBe(args.includes('--htpasswd') ? 401 : 200)
    const authorization = `Basic ${Buffer.from('reader:secret').toString('base64')}`
    const catalog = await client.send('GET', '/v2/_catalog', {headers: {authorization}})
    expect(catalog.status).toBe(200)
    expect(catalog.body.includes('library/busybox')).toBe(args.includes('--source'))
  })

  test.for(others)('$command', async ({command, line}) => {
    await using server = await serve(['--writable', at('pushed')])
    const target = ['--private-registry', server.host, '--plain-http']
    expect(await runMirror(['push', '--source', at('images.tar'), ...target])).toMatchObject({code: 0})
    const {code, output} = await stage.run(staged(command))
    expect({code}, `${PAGE}:${line}\n${output}`).toEqual({code: 0})
  })
})
