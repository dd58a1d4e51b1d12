import {mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {array, assert, asyncProperty, constantFrom, record} from 'fast-check'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {
  cleanEnvironment,
  makeTempDir,
  requireTool,
  runChild,
  startScripted,
  type ScriptedServer,
} from '@airgap-mirror/test/kit'
import {explained, type Contents} from './cluster-kit.js'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const USER_FILE = '/root/.config/containers/registries.conf'
const DROP_IN = `${USER_FILE}.d/50-more.conf`

/** Servers that speak plain HTTP, have no image, and record the requests. */
let servers: readonly ScriptedServer[]
let hosts: readonly string[]
let asked: string[] = []

beforeAll(async () => {
  servers = [await makeServer(), await makeServer(), await makeServer()]
  hosts = servers.map(({host}) => host)
})

afterAll(async () => {
  for (const server of servers) await server.close()
})

function makeServer(): Promise<ScriptedServer> {
  return startScripted({
    '/v2/': {json: {}},
    '*': ({path, headers}) => {
      asked.push(`http://${headers.host}${path}`)
      return {status: 404, json: {errors: [{code: 'MANIFEST_UNKNOWN', message: 'manifest unknown'}]}}
    },
  })
}

interface Pulled {
  readonly requests: readonly string[]
  readonly said: string
}

/** Resolves to the requests of Debian's skopeo with these files in the home directory of its user. */
async function pull(reference: string, files: Contents): Promise<Pulled> {
  await using home = await makeTempDir()
  await mkdir(join(home.path, '.run'))
  for (const [path, text] of Object.entries(files)) {
    const place = join(home.path, path.replace('/root/', ''))
    await mkdir(dirname(place), {recursive: true})
    await writeFile(place, text)
  }
  asked = []
  const {code, stderr} = await runChild('skopeo', ['inspect', '--raw', `docker://${reference}`], {
    env: cleanEnvironment(home.path),
  })
  expect(code).not.toBe(0)
  return {requests: [...asked], said: stderr.replaceAll(String.raw`\"`, '"')}
}

interface MirrorLine {
  readonly host: number
  readonly path: string
  readonly pull: string
}

interface EntryLines {
  readonly prefix: string
  readonly host: number
  readonly path: string
  readonly blocked: boolean
  readonly digestOnly: boolean
  readonly mirrors: readonly MirrorLine[]
}

const mirrorLine = record<MirrorLine>({
  host: constantFrom(1, 2),
  // no slash at the end: Debian's skopeo 1.9 does not cut it
  path: constantFrom('', '/m', '/deep/er'),
  pull: constantFrom('', '', '', 'all', 'digest-only', 'tag-only'),
})

const entryLines = record<EntryLines>({
  prefix: constantFrom(
    '',
    'HOST',
    'HOST/team',
    'HOST/team/app',
    'HOST/te',
    '127.0.0.1',
    '*.0.0.1',
    'MIRROR/m',
  ),
  host: constantFrom(0, 0, 2),
  path: constantFrom('', '/team', '/x'),
  blocked: constantFrom(false, false, false, true),
  digestOnly: constantFrom(false, false, false, true),
  mirrors: array(mirrorLine, {maxLength: 3}),
})

function toml(entries: readonly EntryLines[]): string {
  const named = (text: string): string =>
    text.replace('HOST', hosts[0] ?? '').replace('MIRROR', hosts[1] ?? '')
  return entries
    .flatMap(({prefix, host, path, blocked, digestOnly, mirrors}) => [
      '[[registry]]',
      ...(prefix === '' ? [] : [`prefix = "${named(prefix)}"`]),
      `location = "${hosts[host] ?? ''}${path}"`,
      'insecure = true',
      `blocked = ${blocked}`,
      `mirror-by-digest-only = ${digestOnly}`,
      ...mirrors.flatMap((mirror) => [
        '[[registry.mirror]]',
        `location = "${hosts[mirror.host] ?? ''}${mirror.path}"`,
        'insecure = true',
        ...(mirror.pull === '' ? [] : [`pull-from-mirror = "${mirror.pull}"`]),
      ]),
    ])
    .join('\n')
}

/** Returns true if skopeo ends with the explanation's message. In brackets it says that a mirror is blocked. */
function saysSo(
  said: string,
  {outcome, message}: {readonly outcome: string; readonly message: string},
): boolean {
  if (outcome === 'blocked') return said.includes(message.replace(/ in one of .*/, ''))
  if (outcome !== 'error') return !/is blocked in [^\]]*$/.test(said)
  return said.includes(message.replace(/^.*registries configuration "[^"]*": /, ''))
}

describe('the explanation of registries.conf', () => {
  it('is what skopeo does, for random entries, drop-ins and names', async (context) => {
    requireTool(context, 'skopeo')
    await assert(
      asyncProperty(
        array(entryLines, {minLength: 1, maxLength: 3}),
        array(entryLines, {maxLength: 2}),
        constantFrom('team/app:1', `team/app@${DIGEST}`, 'team/app/x:1', 'team2/app:1', 'tea/app:1'),
        async (main, more, name) => {
          const files: Record<string, string> = {[USER_FILE]: toml(main)}
          if (more.length > 0) files[DROP_IN] = toml(more)
          const reference = `${hosts[0]}/${name}`
          const {tries, outcome, message = ''} = explained(reference, 'skopeo', files)
          const {requests, said} = await pull(reference, files)
          const overHttp = tries.filter(({only, skipVerify}) => only === undefined && skipVerify)
          expect({requests, isSaid: saysSo(said, {outcome, message})}).toEqual({
            requests: overHttp.map(({url}) => url.replace('https:', 'http:')),
            isSaid: true,
          })
        },
      ),
      {numRuns: 40},
    )
  })
})
