import {describe, expect, it} from 'vitest'
import {digestOf} from '#src/model/index.js'
import {blobOf, kinds, KiB, methods, MiB, noise, useRegistries} from './registry-kit.js'
import type {TestRegistry} from '../../../test/registry/index.js'

const start = useRegistries()

const REPO = 'team/app'

async function holds(served: TestRegistry, bytes: Buffer): Promise<boolean> {
  return bytes.equals((await served.blob(REPO, digestOf(bytes))) ?? Buffer.alloc(0))
}

describe('the requests of one blob', () => {
  it('are HEAD, POST and PUT where it is small and absent', async () => {
    const {served, registry} = await start()
    const bytes = noise(10 * KiB)
    const outcome = await registry.putBlob(REPO, blobOf(bytes))
    expect(outcome).toEqual({
      how: 'uploaded',
      descriptor: blobOf(bytes).content,
      sent: bytes.length,
      attempts: 1,
    })
    expect(methods(served)).toBe('HEAD POST PUT')
    expect(await holds(served, bytes)).toBe(true)
  })

  it('are POST and PUT where the caller knows that it is absent', async () => {
    const {served, registry} = await start()
    await registry.putBlob(REPO, blobOf(noise(10)), {absent: true})
    expect(methods(served)).toBe('POST PUT')
  })

  it('are HEAD, POST, PATCH and PUT where it is large', async () => {
    const {served, registry} = await start()
    const bytes = noise(3 * MiB)
    await registry.putBlob(REPO, blobOf(bytes))
    expect(methods(served)).toBe('HEAD POST PATCH PUT')
    expect(served.requests[2]?.headers['content-range']).toBeUndefined()
    expect(served.requests[2]?.headers['content-length']).toBe(String(bytes.length))
    expect(await holds(served, bytes)).toBe(true)
  })

  it('are one HEAD where it is present, and the source is not opened', async () => {
    const {served, registry} = await start()
    const bytes = noise(10)
    await served.addBlob(REPO, bytes)
    const opened: number[] = []
    const outcome = await registry.putBlob(REPO, blobOf(bytes, {onOpen: (offset) => opened.push(offset)}))
    expect(outcome.how).toBe('present')
    expect(methods(served)).toBe('HEAD')
    expect(opened).toEqual([])
  })

  it('go on by an upload of their own if a mount is answered 202 without a Location', async () => {
    const {served, registry} = await start({
      faults: [{match: {kind: 'mount'}, fault: {type: 'status', status: 202}}],
    })
    const bytes = noise(10)
    const outcome = await registry.putBlob(REPO, blobOf(bytes), {mountFrom: ['team/base']})
    expect(outcome.how).toBe('uploaded')
    expect(await holds(served, bytes)).toBe(true)
  })

  it('take a Location without the space that follows it', async () => {
    const {served, registry} = await start()
    served.clearLog()
    const session = `/v2/${REPO}/blobs/uploads/`
    const bytes = noise(10)
    const first = await fetch(`${served.url}${session}`, {method: 'POST'})
    const value = `${first.headers.get('location') ?? ''}  `
    served.setFaults([{match: {kind: 'start'}, fault: {type: 'location', form: 'exactly', value}}])
    await registry.putBlob(REPO, blobOf(bytes))
    expect(await holds(served, bytes)).toBe(true)
  })

  it('are one POST where another repository has it', async () => {
    const {served, registry} = await start()
    const bytes = noise(10)
    await served.addBlob('team/base', bytes)
    const outcome = await registry.putBlob(REPO, blobOf(bytes), {mountFrom: ['other/base', 'team/base']})
    expect(outcome.how).toBe('mounted')
    expect(methods(served)).toBe('POST')
    expect(served.blobs(REPO)).toEqual([digestOf(bytes)])
  })

  it('are three for a zero-byte blob', async () => {
    const {served, registry} = await start()
    await registry.putBlob(REPO, blobOf(Buffer.alloc(0)))
    expect(methods(served)).toBe('HEAD POST PUT')
    expect(served.blobs(REPO)).toEqual([digestOf(Buffer.alloc(0))])
  })
})

describe('a mount', () => {
  it('that the registry answers with 202 goes on in the session it opened', async () => {
    const {served, registry} = await start({mount: 'off'})
    const bytes = noise(10)
    await registry.putBlob(REPO, blobOf(bytes), {mountFrom: ['team/base'], absent: true})
    expect(kinds(served)).toEqual(['mount', 'commit'])
    expect(served.blobs(REPO)).toEqual([digestOf(bytes)])
  })

  it('that is refused twice is not tried again', async () => {
    const refused = {
      match: {kind: 'mount' as const},
      times: Infinity,
      fault: {type: 'status' as const, status: 403},
    }
    const {served, registry} = await start({faults: [refused]})
    for (const seed of ['a', 'b', 'c']) {
      await registry.putBlob(REPO, blobOf(noise(10, seed)), {mountFrom: ['team/base'], absent: true})
    }
    expect(kinds(served)).toEqual(['mount', 'start', 'commit', 'mount', 'start', 'commit', 'start', 'commit'])
    expect(registry.knowledge.mountsRefused).toBe(2)
  })

  it('that is not done leaves no session behind where the blob is present', async () => {
    const {served, registry} = await start({mount: 'off'})
    const bytes = noise(10)
    await served.addBlob(REPO, bytes)
    const outcome = await registry.putBlob(REPO, blobOf(bytes), {mountFrom: ['team/base']})
    expect(outcome.how).toBe('present')
    expect(served.openUploads).toBe(0)
  })
})

describe('chunks', () => {
  it('are sent where the user gives their size, all out of one reading', async () => {
    const {served, registry} = await start({}, {chunkSize: MiB})
    const bytes = noise(2.5 * MiB)
    const opened: number[] = []
    await registry.putBlob(REPO, blobOf(bytes, {onOpen: (offset) => opened.push(offset)}), {absent: true})
    expect(methods(served)).toBe('POST PATCH PATCH PATCH PUT')
    expect(served.requests.map(({headers}) => headers['content-range'])).toEqual([
      undefined,
      '0-1048575',
      '1048576-2097151',
      '2097152-2621439',
      undefined,
    ])
    expect(opened).toEqual([0])
    expect(registry.knowledge.chunks).toBe('work')
    expect(await holds(served, bytes)).toBe(true)
  })

  it('are at least as large as the registry asks for', async () => {
    const {served, registry} = await start({chunkMinLength: MiB}, {chunkSize: 300 * KiB})
    await registry.putBlob(REPO, blobOf(noise(2.5 * MiB)), {absent: true})
    expect(methods(served)).toBe('POST PATCH PATCH PATCH PUT')
    expect(served.violations).toEqual([])
  })

  it.each([404, 405, 416, 'ecr'] as const)(
    'that the registry does not take (%s) become one PATCH, for this blob and all later ones',
    async (chunks) => {
      const {served, registry} = await start({chunks}, {chunkSize: MiB})
      const bytes = [noise(2.5 * MiB, 'a'), noise(2.5 * MiB, 'b')]
      for (const one of bytes) await registry.putBlob(REPO, blobOf(one), {absent: true})
      expect(served.blobs(REPO)).toEqual(bytes.map((one) => digestOf(one)))
      expect(registry.knowledge.chunks).toBe('broken')
      expect(kinds(served).slice(-3)).toEqual(['start', 'send', 'commit'])
      expect(served.openUploads).toBe(0)
    },
  )

  it('are never sent with a chunk size of 0', async () => {
    const {served, registry} = await start({chunkMinLength: MiB}, {chunkSize: 0})
    await registry.putBlob(REPO, blobOf(noise(2.5 * MiB)), {absent: true})
    expect(methods(served)).toBe('POST PATCH PUT')
  })

  it('get smaller until a body limit lets them pass, and the host remembers it', async () => {
    const warnings: string[] = []
    const {served, registry} = await start({bodyLimit: MiB}, {onWarning: (text) => warnings.push(text)})
    const bytes = noise(5 * MiB)
    await registry.putBlob(REPO, blobOf(bytes), {absent: true})
    expect(await holds(served, bytes)).toBe(true)
    expect(registry.knowledge.bodyMax).toBeLessThanOrEqual(MiB)
    expect(warnings).toHaveLength(1)
    served.clearLog()
    await registry.putBlob(REPO, blobOf(noise(5 * MiB, 'next')), {absent: true})
    expect(served.requests.filter(({status}) => status === 413)).toEqual([])
  })

  it('do not get smaller where the user wants one PATCH: that is an error', async () => {
    const {served, registry} = await start({bodyLimit: MiB}, {chunkSize: 0})
    await expect(registry.putBlob(REPO, blobOf(noise(5 * MiB)))).rejects.toMatchObject({code: 'TOO_LARGE'})
    expect(served.openUploads).toBe(0)
  })
})

describe('progress and usage', () => {
  it('count bytes of the blob, up to its size', async () => {
    const {registry, served} = await start()
    const seen: number[] = []
    await registry.putBlob(REPO, blobOf(noise(2 * MiB)), {onProgress: (sent) => seen.push(sent)})
    expect(seen.at(0)).toBe(0)
    expect(seen.at(-1)).toBe(2 * MiB)
    expect(seen).toEqual(seen.toSorted((left, right) => left - right))
    expect(registry.usage).toEqual({requests: served.requests.length, retries: 0})
  })

  it('hold one rate over all uploads', async () => {
    const {registry} = await start({}, {limitRate: 4 * MiB})
    const started = performance.now()
    await Promise.all(
      ['a', 'b'].map((seed) => registry.putBlob(REPO, blobOf(noise(MiB, seed)), {absent: true})),
    )
    expect(performance.now() - started).toBeGreaterThan(300)
  })
})
