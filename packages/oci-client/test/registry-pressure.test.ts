import {describe, expect, it} from 'vitest'
import {unknownHost, type HostKnowledge} from '#src/client/host-knowledge.js'
import {limitBehind} from '#src/registry/upload/torn-body.js'
import type {TornBody} from '#src/registry/upload/upload-step.js'
import {digestOf} from '#src/model/index.js'
import type {Retry} from '#src/client/options.js'
import {blobOf, kinds, KiB, MiB, noise, useRegistries} from './registry-kit.js'

const start = useRegistries()
const REPO = 'team/app'
const GiB = 1024 * MiB

describe('two connections that broke under a body', () => {
  const known = (host: Partial<HostKnowledge> = {}): HostKnowledge => ({...unknownHost(), ...host})
  const torn = (taken: number, length = GiB): TornBody => ({taken, length})
  it.each<
    [string, TornBody | undefined, TornBody, Partial<HostKnowledge>, 'auto' | number, number | undefined]
  >([
    ['are one: the link', undefined, torn(20 * MiB), {}, 'auto', undefined],
    ['at different places: the link', torn(300 * MiB), torn(20 * MiB), {}, 'auto', undefined],
    ['at the same place: what is below it', torn(20 * MiB), torn(20.5 * MiB), {}, 'auto', 20 * MiB],
    ['far in, nearly at the same place', torn(900 * MiB), torn(980 * MiB), {}, 'auto', 64 * MiB],
    ['at the start: what nginx takes by default', torn(100_000), torn(300_000), {}, 'auto', MiB],
    ['of chunks: half of them', torn(MiB, MiB), torn(MiB, MiB), {bodyMax: MiB}, 'auto', MiB / 2],
    [
      'of the smallest chunks: the link',
      torn(200_000, 200_000),
      torn(200_000, 200_000),
      {},
      'auto',
      undefined,
    ],
    ['where chunks do not work', torn(MiB), torn(MiB), {chunks: 'broken'}, 'auto', undefined],
    ['where chunks are switched off', torn(MiB), torn(MiB), {}, 0, undefined],
  ])('%s', (_name, first, second, host, chunkSize, expected) => {
    expect(limitBehind({first, second}, {host: known(host), chunkSize})).toBe(expected)
  })
})

describe('a proxy that ends connections instead of answering 413', () => {
  it.each(['resumable', 'forgetful'] as const)('gets smaller chunks (%s)', async (uploads) => {
    const warnings: string[] = []
    const {served, registry} = await start(
      {uploads, bodyLimit: 3 * MiB, overLimit: 'reset'},
      {onWarning: (text) => warnings.push(text), retries: 3},
    )
    const bytes = noise(24 * MiB, uploads)
    await registry.putBlob(REPO, blobOf(bytes))
    expect(served.blobs(REPO)).toEqual([digestOf(bytes)])
    expect(served.openUploads).toBe(0)
    expect(registry.knowledge.bodyMax).toBeLessThanOrEqual(3 * MiB)
    expect(warnings.filter((text) => text.includes('smaller chunks'))).toHaveLength(1)
    served.clearLog()
    await registry.putBlob(REPO, blobOf(noise(5 * MiB, `${uploads} again`)), {absent: true})
    expect(served.requests.every(({status}) => status !== undefined)).toBe(true)
  })

  it('and takes no chunks either is an error after the retries', async () => {
    const {served, registry} = await start(
      {uploads: 'forgetful', bodyLimit: 3 * MiB, overLimit: 'reset', chunks: 404},
      {retries: 3},
    )
    const upload = registry.putBlob(REPO, blobOf(noise(24 * MiB)))
    await expect(upload).rejects.toMatchObject({code: 'UNREACHABLE', side: 'target'})
    expect(kinds(served).filter((kind) => kind === 'send').length).toBeLessThanOrEqual(10)
  })
})

describe('a registry that takes few requests at once', () => {
  it('gets as many as it takes, and everything in the end', async () => {
    const {served, registry} = await start({capacity: {requests: 3}, latency: 5}, {retryMaxWait: 100})
    const blobs = Array.from({length: 60}, (_, index) => noise(20 * KiB, `capacity ${index}`))
    await Promise.all(blobs.map((bytes) => registry.putBlob(REPO, blobOf(bytes), {absent: true})))
    expect(served.blobs(REPO)).toHaveLength(60)
    const refused = served.requests.filter(({status}) => status === 429).length
    expect(refused).toBeGreaterThan(0)
    expect(refused).toBeLessThan(served.requests.length / 3)
  })

  it('is left alone by everybody for as long as it asks one of them', async () => {
    const fault = {type: 'status', status: 429, headers: {'retry-after': '1'}} as const
    const {served, registry} = await start({}, {retryMaxWait: 5000})
    await registry.ping()
    served.clearLog()
    served.setFaults([{match: {kind: 'start'}, fault}])
    const refusedAt = (): number => served.requests.find(({status}) => status === 429)?.finishedAt ?? 0
    await Promise.all(
      Array.from({length: 8}, (_, index) =>
        registry.putBlob(REPO, blobOf(noise(KiB, `pause ${index}`)), {absent: true}),
      ),
    )
    // Seven may have been on their way when the first was refused: nobody asks twice.
    const asked = served.requests.filter(
      ({kind, startedAt}) => kind === 'start' && startedAt - refusedAt() < 995,
    )
    expect(asked.length).toBeLessThanOrEqual(8)
    expect(served.blobs(REPO)).toHaveLength(8)
  })
})

describe('a registry that is gone', () => {
  it('from the start is an error soon', async () => {
    const {served, registry} = await start({}, {retryMaxWait: 300_000})
    await served.goDown()
    await expect(registry.ping()).rejects.toMatchObject({code: 'UNREACHABLE'})
    expect(registry.usage.retries).toBe(1)
  })

  it('in the middle is waited for longer than all retries take, and said so', async () => {
    const told: Retry[] = []
    const {served, registry} = await start(
      {},
      {retries: 1, retryMaxWait: 300_000, onRetry: (retry) => told.push(retry)},
    )
    await registry.ping()
    await served.goDown()
    setTimeout(() => void served.comeBack(), 2500)
    const blobs = Array.from({length: 6}, (_, index) => noise(KiB, `gone ${index}`))
    await Promise.all(blobs.map((bytes) => registry.putBlob(REPO, blobOf(bytes))))
    expect(served.blobs(REPO)).toHaveLength(6)
    expect(told.length).toBeGreaterThan(1)
    expect(told.length).toBeLessThan(12)
    expect(told[0]?.wait).toBeGreaterThan(500)
    expect(told[0]?.reason).toContain('refuses the connection')
  })

  it('for longer than that is an error, and soon for whoever comes later', async () => {
    const {served, registry} = await start({}, {retries: 2, retryMaxWait: 300})
    await registry.ping()
    await served.goDown()
    await expect(registry.putBlob(REPO, blobOf(noise(KiB)))).rejects.toMatchObject({code: 'UNREACHABLE'})
    const {retries} = registry.usage
    for (const seed of ['a', 'b', 'c']) {
      await expect(registry.putBlob(REPO, blobOf(noise(KiB, seed)))).rejects.toMatchObject({
        code: 'UNREACHABLE',
      })
    }
    expect(registry.usage.retries).toBe(retries)
  })
})

describe('a token server that is gone', () => {
  const auth = {type: 'token', users: [{name: 'u', password: 'p'}]} as const
  const credentials = async () => ({kind: 'basic', username: 'u', password: 'p'}) as const

  it.each([
    ['reset', {type: 'reset-before'}],
    ['500', {type: 'status', status: 500}],
  ] as const)('(%s) is asked as often as there are retries, and not once more', async (_name, fault) => {
    const {served, registry} = await start({auth}, {credentials, retries: 3})
    await registry.hasBlob(REPO, digestOf(noise(1)))
    served.setFaults([{match: {kind: 'token'}, times: Infinity, fault}])
    for (const call of [
      () => registry.hasBlob('other/app', digestOf(noise(1))),
      () => registry.putBlob('another/app', blobOf(noise(KiB)), {absent: true}),
    ]) {
      served.clearLog()
      await expect(call()).rejects.toMatchObject({message: expect.stringContaining('token server') as string})
      expect(kinds(served).filter((kind) => kind === 'token')).toHaveLength(4)
    }
  })
})
