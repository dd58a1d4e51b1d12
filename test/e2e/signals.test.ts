import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeImage, makeTempDir, startMirror, type Child, type TempDir} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, parseReport, push, writeOciBundle} from './push.js'

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
}

describe('a push of twelve images that is interrupted', () => {
  let directory: TempDir
  let source: string
  const report = (): string => join(directory.path, 'report.json')
  const failed = (): string => join(directory.path, 'failed.txt')

  beforeAll(async () => {
    directory = await makeTempDir()
    const images = await Promise.all(
      Array.from({length: 12}, async (_, index) =>
        named(`gcr.io/team/image${index}:v1`, await makeImage({seed: `signal${index}`, layers: 2})),
      ),
    )
    source = await writeOciBundle(directory.path, images)
  })
  afterAll(() => directory.remove())

  const startPush = (registry: TestRegistry): Promise<Child> =>
    startMirror(
      argv`push --source ${source} --private-registry ${registry.host} --plain-http --concurrency 2
        --report ${report()} --failed ${failed()}`,
    )
  /** A session may stay open: of an upload that was being started, nobody hears the address any more. */
  const faults = (registry: TestRegistry): readonly string[] => [...registry.fsck(), ...registry.violations]
  const tagged = (registry: TestRegistry): number =>
    registry.repositories().reduce((sum, repository) => sum + registry.tags(repository).length, 0)

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('by one %s drains, writes report and list, and ends with %i', async (signal, expected) => {
    await using registry = await startRegistry({strict: true, latency: 30})
    const child = await startPush(registry)
    await until(() => tagged(registry) > 0)
    child.kill(signal)
    const {code, stderr} = await child.result

    expect({code, stderr}).toMatchObject({code: expected})
    expect(stderr).toMatch(/^warning: stopping after the transfers that are almost complete/m)
    expect(stderr).toMatch(/^interrupted: 12 images: /m)
    const {outcome, images} = parseReport({stdout: await readFile(report(), 'utf8'), stderr})
    expect(outcome).toBe('cancelled')
    const done = images.filter(({status}) => status === 'pushed')
    expect(done.length).toBeGreaterThan(0)
    expect(done.length).toBeLessThan(12)
    expect(tagged(registry)).toBe(done.length)
    const left = images.filter(({status}) => status === 'cancelled').map(({source: name}) => name)
    expect((await readFile(failed(), 'utf8')).trim().split('\n')).toEqual(left)
    expect(faults(registry)).toEqual([])

    const before = new Set(registry.commits.map(({digest}) => digest))
    registry.clearLog()
    const again = await push({source, registry, flags: argv`--images ${failed()}`})
    expect(again.code).toBe(0)
    expect(registry.commits.filter(({digest}) => before.has(digest))).toEqual([])
    expect(tagged(registry)).toBe(12)
    expect(faults(registry)).toEqual([])
  })

  test('by a second signal leaves at once', async () => {
    await using registry = await startRegistry({
      strict: true,
      faults: [
        {match: {kind: 'commit'}, nth: 5, times: 1000, fault: {type: 'stall', ms: 15_000, at: 'response'}},
      ],
    })
    const child = await startPush(registry)
    await until(() => registry.requests.filter(({fault}) => fault === 'stall').length === 2)
    child.kill('SIGINT')
    await until(() => child.stderr.includes('press Ctrl-C again to stop now'))
    child.kill('SIGINT')
    const {code} = await child.result
    expect(code).toBe(130)
    expect(registry.fsck()).toEqual([])
  })

  test('while the bundle is still read ends with 130, and nothing was sent', async () => {
    await using registry = await startRegistry({strict: true})
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(512, 'x')
      await new Promise((resolve) => {
        setTimeout(resolve, 3_600_000).unref()
      })
    }
    const child = await startMirror(argv`push --source - --private-registry ${registry.host} --plain-http`, {
      stdin: endless(),
    })
    await until(() => registry.requests.length > 0)
    child.kill('SIGINT')
    const {code} = await child.result
    expect(code).toBe(130)
    expect(registry.repositories()).toEqual([])
  })
})

test.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)(
  'an inspection that %s ends has its exit code, and the error in its JSON',
  async (signal, expected) => {
    let isReading = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 8; index += 1) yield Buffer.alloc(1_000_000)
      isReading = true
      await new Promise((resolve) => {
        setTimeout(resolve, 3_600_000).unref()
      })
    }
    const child = await startMirror(argv`inspect - --json`, {stdin: endless()})
    await until(() => isReading)
    child.kill(signal)
    const {code, stdout} = await child.result
    expect(code).toBe(expected)
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: 'urn:mirror:inspect:v1',
      source: '-',
      error: {code: 'CANCELLED', message: `stopped by ${signal}`},
    })
  },
)
