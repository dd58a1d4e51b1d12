import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmod, writeFile} from 'node:fs/promises'
import {connect} from 'node:net'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest'
import {
  freePort,
  makeAuthority,
  makeImage,
  makeTempDir,
  requireTool,
  runMirror,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'
import {until} from './until.js'

/** Names that the proxies alone know. */
const NAME = 'registry.beyond.invalid'
const BLOCKED = 'blocked.invalid'
const LOGIN = {user: 'bob', password: 's3cret-word'}

interface Setting {
  /** A directory of its own. */
  readonly at: (name: string) => string
  readonly port: number
}

/** Returns the command of a proxy, after it has written its configuration. */
type Configure = (setting: Setting) => Promise<readonly [string, ...string[]]>

const squid: Configure = async ({at, port}) => {
  // The format that htpasswd and crypt share: plain text would be refused.
  const hash = await output('openssl', 'passwd', '-apr1', LOGIN.password)
  await writeFile(at('passwd'), `${LOGIN.user}:${hash.trim()}\n`)
  await writeFile(
    at('squid.conf'),
    `http_port 127.0.0.1:${port}
pid_filename none
cache_log /dev/null
access_log none
cache deny all
coredump_dir /tmp
pinger_enable off
dns_nameservers 127.0.0.1
hosts_file ${at('hosts')}
shutdown_lifetime 0 seconds
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${at('passwd')}
auth_param basic children 1
acl known proxy_auth REQUIRED
acl blocked dstdomain ${BLOCKED}
http_access deny blocked
http_access deny !known
http_access allow all
`,
  )
  return ['squid', '-N', '-f', at('squid.conf')]
}

/** It asks the system for addresses, so it gets a file of hosts of its own. */
const tinyproxy: Configure = async ({at, port}) => {
  await writeFile(at('filter'), `^${BLOCKED.replace('.', '\\.')}$\n`)
  await writeFile(
    at('tinyproxy.conf'),
    `Port ${port}\nListen 127.0.0.1\nTimeout 60\nBasicAuth ${LOGIN.user} ${LOGIN.password}\nFilter "${at('filter')}"\n`,
  )
  const script = `mount --bind '${at('hosts')}' /etc/hosts && exec tinyproxy -d -c '${at('tinyproxy.conf')}'`
  return ['unshare', '-m', 'sh', '-c', script]
}

async function output(program: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'inherit']})
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  return text
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const taken = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return taken
}

/** Starts a proxy that lives as long as the test. @returns its port */
async function started(configure: Configure): Promise<number> {
  const directory = await makeTempDir()
  // Proxies give up root before they read these.
  await chmod(directory.path, 0o755)
  const at = (name: string): string => join(directory.path, name)
  await writeFile(at('hosts'), `127.0.0.1 localhost ${NAME} ${BLOCKED}\n`)
  const port = await freePort()
  const [program, ...args] = await configure({at, port})
  const child = spawn(program, args, {stdio: 'ignore'})
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await directory.remove()
  })
  await until(() => takesConnections(port))
  return port
}

describe.each([
  ['squid', squid, ['squid', 'openssl']],
  ['tinyproxy', tinyproxy, ['tinyproxy', 'unshare', 'mount']],
] as const)('through %s', (_name, configure, tools) => {
  let directory: TempDir
  let registry: TestRegistry
  let source: string
  beforeAll(async () => {
    directory = await makeTempDir()
    const authority = await makeAuthority()
    await writeFile(join(directory.path, 'ca.pem'), authority.ca)
    registry = await startRegistry({tls: await authority.issue({hosts: [NAME, BLOCKED]}), strict: true})
    source = await writeOciBundle(directory.path, [
      named('gcr.io/team/app:v1', await makeImage({seed: 'proxied', layers: 2})),
    ])
  })
  afterAll(async () => {
    await registry.close()
    await directory.remove()
  })

  test('a push and a sync with a login arrive; a wrong login and a blocked host are told as the refusal of the proxy', async (context) => {
    requireTool(context, ...tools)
    if (process.getuid?.() !== 0) context.skip('only root gives a program a file of hosts of its own')
    const port = await started(configure)
    const own = registry.host.split(':')[1] ?? ''
    const ca = join(directory.path, 'ca.pem')
    const run = (args: readonly string[], password = LOGIN.password) =>
      runMirror(args, {
        home: directory.path,
        env: {HTTPS_PROXY: `http://${LOGIN.user}:${password}@127.0.0.1:${port}`},
      })
    const push = (host: string, password?: string) =>
      run(
        argv`push --source ${source} --private-registry ${host}:${own}/x --cacert ${ca} --retries 0`,
        password,
      )

    const pushed = await push(NAME)
    expect({code: pushed.code, stderr: pushed.stderr}).toMatchObject({code: 0})
    expect(registry.tags('x/team/app')).toEqual(['v1'])

    const list = join(directory.path, 'list.txt')
    await writeFile(list, `${NAME}:${own}/x/team/app:v1\n`)
    const synced = await run(
      argv`sync --images ${list} --private-registry ${NAME}:${own}/y --cacert ${ca} --source-cacert ${ca} --quiet`,
    )
    expect(synced).toMatchObject({code: 0, stdout: '', stderr: ''})
    expect(registry.tags('y/x/team/app')).toEqual(['v1'])

    const wrong = await push(NAME, 'wr0ng-word')
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toMatch(/the proxy 127\.0\.0\.1:\d+ refuses the user name and the password .*40[17]/)
    expect(wrong.stderr).toMatch(/^hint: Correct the user name and the password in the URL of the proxy/m)
    expect(wrong.stderr).not.toContain('wr0ng-word')

    const blocked = await push(BLOCKED)
    expect(blocked.code).toBe(1)
    expect(blocked.stderr).toMatch(
      /the proxy 127\.0\.0\.1:\d+ does not connect to blocked\.invalid:\d+: status 403/,
    )
    expect(blocked.stderr).toMatch(/^hint: Allow blocked\.invalid:\d+ at the proxy/m)
  })
})
