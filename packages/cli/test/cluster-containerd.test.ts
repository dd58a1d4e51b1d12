import {mkdir, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {array, assert, asyncProperty, constantFrom, record, tuple} from 'fast-check'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {
  cleanEnvironment,
  containerdSocket,
  criPull,
  makeTempDir,
  requireTool,
  startContainerd,
  startScripted,
  type Child,
  type ScriptedServer,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {explained, type Contents} from './cluster-kit.js'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const isRoot = process.getuid?.() === 0

/** Servers that speak plain HTTP, have no image, and record the requests. */
let servers: readonly ScriptedServer[]
let hosts: readonly string[]
let asked: string[] = []
let directory: TempDir
let containerd: Child | undefined

beforeAll(async () => {
  servers = [await makeServer(), await makeServer(), await makeServer()]
  hosts = servers.map(({host}) => host)
  directory = await makeTempDir()
})

afterAll(async () => {
  containerd?.kill('SIGTERM')
  await containerd?.result
  await directory.remove()
  for (const server of servers) await server.close()
})

function makeServer(): Promise<ScriptedServer> {
  return startScripted({
    '*/manifests/*': ({path, headers}) => {
      asked.push(`http://${headers.host}${path}`)
      return {status: 404}
    },
  })
}

/** The requests for manifests that containerd makes over these files below its config_path. */
async function pull(reference: string, files: Contents): Promise<readonly string[]> {
  const certs = join(directory.path, 'certs.d')
  await rm(certs, {recursive: true, force: true})
  for (const [path, text] of Object.entries(files)) {
    const place = join(certs, path)
    await mkdir(join(place, '..'), {recursive: true})
    await writeFile(place, text)
  }
  asked = []
  const {status} = await criPull(containerdSocket(directory.path), reference)
  expect(status).not.toBe(0)
  return [...asked]
}

interface HostLines {
  readonly host: number
  readonly scheme: string
  readonly path: string
  readonly lines: readonly string[]
}

const line = constantFrom(
  'capabilities = ["pull", "resolve"]',
  'capabilities = ["pull"]',
  'capabilities = ["resolve", "push"]',
  'capabilities = ["Pull", "RESOLVE"]',
  'capabilities = []',
  'override_path = true',
  'skip_verify = false',
  'unknown = 1',
)

const hostLines = record<HostLines>({
  host: constantFrom(1, 2),
  // plain HTTP only, because these servers do not see requests sent over TLS
  scheme: constantFrom('http://'),
  path: constantFrom('', '', '/', '/v2', '/v2/', '/ns', '/v2/ns', '/ns/v2', '//a/../ns'),
  lines: array(line, {maxLength: 2}),
})

interface Shape {
  readonly server: string
  readonly root: readonly string[]
  readonly hosts: readonly HostLines[]
  readonly tail: string
  readonly directory: string
}

const shape = record<Shape>({
  server: constantFrom(
    '',
    '',
    'server = ""',
    'server = "http://MIRROR"',
    'server = "http://MIRROR/ns"',
    'server = "http://MIRROR/v2"',
  ),
  root: array(line, {maxLength: 1}),
  hosts: array(hostLines, {maxLength: 3}),
  tail: constantFrom(
    '',
    '',
    '',
    'server = "http://MIRROR"',
    'capabilities = ["pull", "mirror"]',
    'skip_verify = "no"',
    '[host.broken',
  ),
  directory: constantFrom('HOST_PORT_', 'HOST:PORT', '_default'),
})

/** Each host and each key once: that is a matter of TOML, which both sides refuse. */
function hostsToml({server, root, hosts: tables, tail}: Shape): string {
  const keyOf = (text: string): string => text.split(' ')[0] ?? ''
  const once = (lines: readonly string[]): readonly string[] => [
    ...new Map(lines.map((text) => [keyOf(text), text])).values(),
  ]
  const seen = new Set<string>()
  const named = tables.flatMap(({host, scheme, path, lines}) => {
    const url = `${scheme}${hosts[host] ?? ''}${path}`
    if (seen.has(url)) return []
    seen.add(url)
    return [`[host."${url}"]`, ...once(lines)]
  })
  return [server, ...once(root), '[host]', ...named, tail, ''].join('\n').replaceAll('MIRROR', hosts[2] ?? '')
}

function placeOf({directory: name}: Shape): string {
  const [host = '', port = ''] = (hosts[0] ?? '').split(':')
  return `${name.replace('HOST', host).replace('PORT', port)}/hosts.toml`
}

const endpoint = record({
  host: constantFrom(1, 2),
  scheme: constantFrom('http://', 'http://', ''),
  path: constantFrom('', '/', '/v2', '/v2/', '/ns', '/v2/ns', '//a/../ns'),
})

/** An entry for each of these registries, of which nothing but the mirrors can be reached. */
const mirrorTables = tuple(
  ...['a.invalid', 'b.invalid', 'c.invalid:5000', '*'].map((host) =>
    array(endpoint, {maxLength: 3}).map((endpoints) => ({host, endpoints})),
  ),
)

async function startWith(registry: string): Promise<void> {
  await stop()
  const text = `version = 2\n${registry}\n[plugins."io.containerd.grpc.v1.cri".containerd]\nsnapshotter = "native"\n`
  const config = join(directory.path, 'config.toml')
  await writeFile(config, text)
  containerd = await startContainerd({
    directory: directory.path,
    config,
    env: {...cleanEnvironment(directory.path)},
  })
}

async function stop(): Promise<void> {
  containerd?.kill('SIGTERM')
  await containerd?.result
  containerd = undefined
}

const REGISTRY = 'plugins."io.containerd.grpc.v1.cri".registry'

describe.skipIf(!isRoot)('the explanation of containerd', () => {
  it('is what it does with hosts.toml, for random files and names', async (context) => {
    requireTool(context, 'containerd')
    await startWith(`[${REGISTRY}]\nconfig_path = "${join(directory.path, 'certs.d')}"`)
    await assert(
      asyncProperty(
        shape,
        constantFrom('team/app:1', `team/app@${DIGEST}`, `team/app:1@${DIGEST}`),
        async (file, name) => {
          const text = hostsToml(file)
          const reference = `${hosts[0]}/${name}`
          const files = {[`/etc/containerd/certs.d/${placeOf(file)}`]: text}
          const {tries, message} = explained(reference, 'containerd@1.6', files)
          expect({text, message, asked: await pull(reference, {[placeOf(file)]: text})}).toEqual({
            text,
            message,
            asked: tries.map(({url}) => url).filter((url) => url.startsWith('http:')),
          })
        },
      ),
      {numRuns: 60},
    )
    await stop()
  })

  it('is what it does with the deprecated mirrors, for random endpoints', async (context) => {
    requireTool(context, 'containerd')
    await assert(
      asyncProperty(mirrorTables, async (tables) => {
        const entries = tables.map(({host, endpoints}) => {
          const urls = endpoints.map(({host: at, scheme, path}) => `"${scheme}${hosts[at] ?? ''}${path}"`)
          return `[${REGISTRY}.mirrors."${host}"]\nendpoint = [${urls.join(', ')}]`
        })
        const text = entries.join('\n')
        await startWith(text)
        for (const name of [
          'a.invalid/x:1',
          'b.invalid/x/y:1',
          `c.invalid:5000/x@${DIGEST}`,
          'd.invalid/x:1',
        ]) {
          const files = {'/etc/containerd/config.toml': `version = 2\n${text}`}
          const {tries} = explained(name, 'containerd@1.6', files)
          expect({text, name, asked: await pull(name, {})}).toEqual({
            text,
            name,
            asked: tries.map(({url}) => url).filter((url) => url.startsWith('http:')),
          })
        }
        await stop()
      }),
      {numRuns: 5},
    )
  })
})
