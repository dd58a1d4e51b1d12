import {describe, expect, test} from 'vitest'
import {makeImage, type TestImage} from '@airgap-mirror/test/kit'
import {startRegistry, type RequestRecord} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn} from './push.js'
import {statuses, syncScene, type SyncScene} from './sync.js'

const SIZE = 1_000_000

/** An image whose one layer is too large to arrive before the connection breaks. */
function bigImage(layerSize = SIZE): Promise<TestImage> {
  return makeImage({seed: 'big', layers: 1, layerSize, content: 'random'})
}

function layerOf(image: TestImage): {readonly digest: string; readonly size: number} {
  const [layer] = image.platforms[0]?.layers ?? []
  if (layer === undefined) throw new Error('no layer')
  return layer.descriptor
}

/** The requests for a blob that the source saw. */
function readsOf({source}: SyncScene, digest: string): readonly RequestRecord[] {
  return source.requests.filter(({kind, path}) => kind === 'blob-get' && path.includes(digest))
}

describe('a download that breaks off', () => {
  test.each([1, 3])('goes on with a Range request from where it was (%d times)', async (times) => {
    await using scene = await syncScene()
    const image = await bigImage()
    const layer = layerOf(image)
    const list = await scene.list(await scene.add('team/big:v1', image))
    scene.source.setFaults([
      {
        match: {kind: 'blob-get', path: new RegExp(layer.digest)},
        times,
        fault: {type: 'reset-in-body', after: 200_000},
      },
    ])
    const {code, stderr, report} = await scene.sync(argv`--images ${list} --source-retry-max-wait 1s`)
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(scene.at('team/big:v1')).toBe(image.root.descriptor.digest)
    expect(faultsIn(scene.target)).toEqual([])
    const [first, ...others] = readsOf(scene, layer.digest)
    expect(first?.headers.range).toBeUndefined()
    expect(others).toHaveLength(times)
    expect(others.map(({status}) => status)).toEqual(others.map(() => 206))
    const starts = others.map(({headers}) => Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1]))
    expect(starts.toSorted((left, right) => left - right)).toEqual(starts)
    expect(starts[0]).toBeGreaterThan(0)
    expect(report.totals.retries).toBeGreaterThanOrEqual(times)
    // what was there already is sent on as it was: the target gets every byte once
    expect(scene.target.bytesReceivedOf(layer.digest as `sha256:${string}`)).toBe(layer.size)
  })

  test('goes on for all targets at once', async () => {
    await using scene = await syncScene()
    await using second = await startRegistry({strict: true})
    const image = await bigImage()
    const layer = layerOf(image)
    const reference = await scene.add('team/big:v1', image)
    scene.source.setFaults([
      {
        match: {kind: 'blob-get', path: new RegExp(layer.digest)},
        fault: {type: 'reset-in-body', after: 200_000},
      },
    ])
    const config = await scene.write(
      'mirror.yaml',
      `jobs: [{name: job, targets: ['${scene.target.host}/mirror', '${second.host}/dr'], references: ['${reference}']}]`,
    )
    const {code, report} = await scene.sync(argv`--config ${config}`, {into: false})
    expect(code).toBe(0)
    expect(statuses(report)).toEqual(['pushed', 'pushed'])
    expect(readsOf(scene, layer.digest).map(({status}) => status)).toEqual([200, 206])
    for (const registry of [scene.target, second]) expect(faultsIn(registry)).toEqual([])
  })

  test('for good is the failure of its image alone, on the source side; nothing of it is under a tag', async () => {
    await using scene = await syncScene()
    const image = await bigImage()
    const list = await scene.list(await scene.add('team/big:v1', image), await scene.add('team/app:v1'))
    scene.source.setFaults([
      {
        match: {kind: 'blob-get', path: new RegExp(layerOf(image).digest)},
        times: Infinity,
        fault: {type: 'reset-before'},
      },
    ])
    const {code, stderr, report} = await scene.sync(
      argv`--images ${list} --source-retries 1 --source-retry-max-wait 1s`,
    )
    expect(code).toBe(3)
    expect(statuses(report)).toEqual(['failed', 'pushed'])
    expect(stderr).toMatch(new RegExp(`^error: source: .*${scene.source.host}`, 'm'))
    expect(scene.at('team/big:v1')).toBeUndefined()
    expect(faultsIn(scene.target)).toEqual([])
  })

  test('and content that is not what its digest says never gets under a tag', async () => {
    await using scene = await syncScene()
    const image = await bigImage()
    const list = await scene.list(await scene.add('team/big:v1', image))
    const match = {kind: 'blob-get', path: new RegExp(layerOf(image).digest)} as const
    scene.source.setFaults([{match, times: Infinity, fault: {type: 'corrupt'}}])
    const {code, stderr} = await scene.sync(
      argv`--images ${list} --source-retry-max-wait 1s --retry-max-wait 1s`,
    )
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/^error: source: .*sha256:/m)
    expect(scene.at('team/big:v1')).toBeUndefined()
    expect(faultsIn(scene.target)).toEqual([])
  })
})

test('an upload that breaks off goes on, too, and asks the source only for the rest', async () => {
  await using scene = await syncScene()
  const image = await bigImage(4 * SIZE)
  const layer = layerOf(image)
  const list = await scene.list(await scene.add('team/big:v1', image))
  scene.target.setFaults([{match: {kind: 'send'}, fault: {type: 'reset-in-body', after: 200_000}}])
  const {code} = await scene.sync(argv`--images ${list} --retry-max-wait 1s`)
  expect(code).toBe(0)
  expect(readsOf(scene, layer.digest).map(({status}) => status)).toEqual([200, 206])
  expect(faultsIn(scene.target)).toEqual([])
})

describe('a source that has had enough', () => {
  const limited = (seconds: number) =>
    ({type: 'status', status: 429, headers: {'retry-after': String(seconds)}}) as const

  test.each(['manifest-head', 'manifest-get', 'blob-get'] as const)(
    '429 to a %s with Retry-After: nothing is asked until then',
    async (kind) => {
      await using scene = await syncScene()
      const list = await scene.list(await scene.add('team/app:v1'))
      scene.source.setFaults([{match: {kind}, fault: limited(1)}])
      const {code, report} = await scene.sync(argv`--images ${list}`)
      expect(code).toBe(0)
      expect(statuses(report)).toEqual(['pushed'])
      const refused = scene.source.requests.findIndex(({status}) => status === 429)
      const {id, finishedAt = 0, path} = scene.source.requests[refused] ?? {}
      const again = scene.source.requests.find(
        (one) => one.path === path && one.id !== id && one.id > (id ?? 0),
      )
      // a timer may be a few milliseconds early
      expect((again?.startedAt ?? 0) - finishedAt).toBeGreaterThan(950)
    },
  )

  test('for longer than --source-retry-max-wait fails its image, and says what it was told', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'))
    scene.source.setFaults([{times: Infinity, fault: limited(3600)}])
    const {code, stderr, report} = await scene.sync(
      argv`--images ${list} --source-retry-max-wait 2s --source-retries 1`,
    )
    expect(code).toBe(1)
    expect(report.images[0]?.error).toMatchObject({code: 'RATE_LIMITED', side: 'source'})
    expect(stderr).toMatch(/^hint: /m)
  })

  test.each([
    ['RateLimit-Remaining', {'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '3;w=21600'}],
    ['X-RateLimit-Remaining', {'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '3'}],
  ])('%s: little that is left is a warning, once, quiet or not', async (_name, headers) => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'), await scene.add('team/tool:v1'))
    scene.source.setFaults([{times: Infinity, fault: {type: 'headers', headers}}])
    const {code, stderr} = await scene.quietly(argv`--images ${list}`)
    expect(code).toBe(0)
    expect(stderr).toMatch(new RegExp(`^warning: ${scene.source.host} leaves 3 of 100 requests.*login.*\n$`))
  })

  test('a source that counts only GETs is asked by HEAD for what has not changed', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'))
    expect((await scene.quietly(argv`--images ${list}`)).code).toBe(0)
    scene.clearLogs()
    scene.source.setFaults([{match: {method: 'GET'}, times: Infinity, fault: limited(3600)}])
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject({code: 0, stdout: '', stderr: ''})
  })
})
