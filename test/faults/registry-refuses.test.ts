import {join} from 'node:path'
import {writeFile} from 'node:fs/promises'
import {
  makeImage,
  makeTempDir,
  requireTool,
  startChild,
  startDebianRegistry,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type Fault} from '@airgap-mirror/test/registry'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {argv} from '../e2e/argv.js'
import {faultsIn, named, push, writeOciBundle} from '../e2e/push.js'

const MiB = 1024 * 1024
function envelope(code: string, message: string, detail?: unknown): string {
  return JSON.stringify({errors: [{code, message, detail}]})
}

/** Answers of real registries to uploads they have no room, no right or no mind for. */
const refusals: readonly (readonly [string, {status: number; body: string}, string, RegExp])[] = [
  ['507', {status: 507, body: ''}, 'REGISTRY_FULL', /registry's disk/],
  [
    'a full disk as distribution 2.8 says it',
    {
      status: 500,
      body: envelope('UNKNOWN', 'unknown error', 'write /var/lib/registry/x/data: no space left on device'),
    },
    'REGISTRY_FULL',
    /registry's disk/,
  ],
  [
    'a full disk as distribution 2.8 says it before the first byte',
    {
      status: 500,
      body: envelope('UNKNOWN', 'unknown error', {
        DriverName: 'filesystem',
        Enclosed: {Op: 'write', Path: '/var/lib/registry/x/startedat', Err: 28},
      }),
    },
    'REGISTRY_FULL',
    /registry's disk/,
  ],
  [
    'a used-up quota of Harbor',
    {
      status: 403,
      body: envelope(
        'DENIED',
        'adding 5 MiB of storage resource, which when updated to current usage of 9 GiB will exceed the configured upper limit of 9 GiB.',
      ),
    },
    'DENIED',
    /quota/,
  ],
  [
    'a used-up quota of Harbor, in older versions',
    {
      status: 412,
      body: envelope('PRECONDITION', 'Quota exceeded when processing the request of adding 5 MiB'),
    },
    'DENIED',
    /quota/,
  ],
  ['a policy', {status: 412, body: envelope('PRECONDITION', 'blocked by policy')}, 'DENIED', /policy/],
  [
    'read-only mode',
    {status: 405, body: envelope('UNSUPPORTED', 'The operation is unsupported.')},
    'DENIED',
    /read-only/,
  ],
]

let directory: TempDir
let source: string

beforeAll(async () => {
  directory = await makeTempDir()
  const images = await Promise.all(
    ['zero', 'one', 'two'].map((seed) =>
      makeImage({seed, layers: 1, layerSize: 1.5 * MiB, content: 'random'}),
    ),
  )
  source = await writeOciBundle(
    directory.path,
    images.map((image, index) => named(`gcr.io/team/image${index}:v1`, image)),
  )
})
afterAll(() => directory.remove())

describe('one repository of three is refused with', {concurrent: true}, () => {
  const stages = ['start', 'send', 'commit', 'manifest-put'] as const
  const cases = refusals.flatMap(([name, answer, code, hint]) =>
    stages
      // A manifest is small, and its answer is not read before it is sent again.
      .filter((kind) => kind !== 'manifest-put' || answer.status !== 500)
      .map((kind) => [name, kind, {type: 'status', ...answer} satisfies Fault, code, hint] as const),
  )
  test.each(cases)(
    '%s at %s: told for that image, and the others are pushed',
    async (_name, kind, fault, code, hint) => {
      await using registry = await startRegistry({
        strict: true,
        faults: [{match: {kind, path: /\/team\/image1\//}, times: Number.POSITIVE_INFINITY, fault}],
      })
      const {code: exit, report, stderr} = await push({source, registry, anywhere: true})
      expect({exit, stderr}).toMatchObject({exit: 3})
      expect(report.outcome).toBe('partial')
      expect(report.images.map(({status}) => status)).toEqual(['pushed', 'failed', 'pushed'])
      const error = report.images[1]?.error
      expect(error).toMatchObject({code, message: expect.stringContaining('team/image1') as string})
      expect(error?.hint).toMatch(hint)
      expect(registry.tags('team/image1')).toEqual([])
      expect(faultsIn(registry)).toEqual([])
      // A lasting refusal is retried once at most, because it may be a race or the way of sending. That makes four requests
      // if both of the image's blobs are under way.
      const refused = registry.requests.filter(({status}) => status === fault.status)
      expect(refused.length).toBeLessThanOrEqual(4)
    },
  )
})

test('a docker-registry in read-only mode keeps what is there and refuses the rest', async (context) => {
  requireTool(context, 'docker-registry')
  await using storage = await makeTempDir()
  {
    await using writable = await startDebianRegistry({storage: storage.path})
    const {code} = await push({source, registry: writable, flags: argv`--include **/image0:*`})
    expect(code).toBe(0)
  }
  await using registry = await startDebianRegistry({storage: storage.path, readOnly: true})
  const {code, report} = await push({source, registry})
  expect(code).toBe(3)
  expect(report.images.map(({status}) => status)).toEqual(['present', 'failed', 'failed'])
  for (const {error} of report.images.slice(1)) {
    expect(error).toMatchObject({code: 'DENIED', hint: expect.stringContaining('read-only') as string})
  }
})

test('a docker-registry whose disk is full says so for the images that have no room', async (context) => {
  requireTool(context, 'docker-registry')
  await using place = await makeTempDir()
  const config = join(place.path, 'config.json')
  const port = 20_000 + (process.pid % 20_000)
  const root = join(place.path, 'disk')
  await writeFile(
    config,
    JSON.stringify({
      version: 0.1,
      storage: {filesystem: {rootdirectory: root}, delete: {enabled: true}},
      http: {addr: `127.0.0.1:${port}`, secret: 'a secret of the tests'},
    }),
  )
  const child = startChild(
    'unshare',
    [
      '-rm',
      'sh',
      '-ec',
      `mkdir ${root}; mount -t tmpfs -o size=4m none ${root}; exec docker-registry serve ${config}`,
    ],
    {env: {PATH: process.env['PATH']}},
  )
  try {
    const registry = {host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`}
    if (!(await listens(registry.url))) {
      context.skip(`a small disk cannot be made here: ${child.stderr}`)
      return
    }
    expect(await push({source, registry, flags: argv`--exclude **/image2:*`})).toMatchObject({code: 0})
    const {code, report, stderr} = await push({source, registry})
    expect({code}, `printed: ${stderr}`).toEqual({code: 3})
    expect(report.totals).toMatchObject({succeeded: 2, failed: 1, retries: 0})
    expect(report.images.find(({status}) => status === 'failed')?.error).toMatchObject({
      code: 'REGISTRY_FULL',
      hint: expect.stringContaining("registry's disk") as string,
    })
  } finally {
    child.kill('SIGKILL')
    await child.result
  }
})

async function listens(url: string): Promise<boolean> {
  for (let tries = 0; tries < 60; tries++) {
    const answers = await fetch(`${url}/v2/`).then(
      ({ok}) => ok,
      () => false,
    )
    if (answers) return true
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
  }
  return false
}
