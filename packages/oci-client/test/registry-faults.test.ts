import {describe, expect, it} from 'vitest'
import {digestOf} from '#src/model/index.js'
import {blobOf, kinds, KiB, MiB, noise, patient, useRegistries} from './registry-kit.js'
import type {Fault, RequestKind} from '../../../test/registry/index.js'

const start = useRegistries()

const REPO = 'team/app'
const token = {type: 'token', users: [{name: 'u', password: 'p'}]} as const
async function credentials() {
  return {kind: 'basic', username: 'u', password: 'p'} as const
}

/** The place where the fault strikes, the size of the blob, and the most requests that the upload may cost. */
const STAGES: readonly {readonly kind: RequestKind; readonly size: number}[] = [
  {kind: 'blob-head', size: 10 * KiB},
  {kind: 'start', size: 10 * KiB},
  {kind: 'send', size: 1.5 * MiB},
  {kind: 'commit', size: 1.5 * MiB},
  {kind: 'commit', size: 10 * KiB},
]

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['reset before it', {type: 'reset-before'}],
  ['reset after it', {type: 'reset-after'}],
  ['500', {type: 'status', status: 500}],
  ['502 as HTML', {type: 'status', status: 502, body: '<html><h1>Bad Gateway</h1></html>'}],
  ['503 early', {type: 'status', status: 503, early: true}],
  ['429', {type: 'status', status: 429}],
  ['429 with Retry-After: 0', {type: 'status', status: 429, headers: {'retry-after': '0'}}],
  ['401, the token void', {type: 'unauthorized'}],
  ['401 early, the token void', {type: 'unauthorized', early: true}],
]

const SEND_FAULTS: readonly (readonly [string, Fault])[] = [
  ['reset in its first bytes', {type: 'reset-in-body', after: 1}],
  ['reset in its middle', {type: 'reset-in-body', after: 600_000}],
  ['early 201', {type: 'early-201', after: 1000}],
  ['session gone', {type: 'session-gone'}],
  ['416', {type: 'status', status: 416}],
  ['Range that lies', {type: 'wrong-range', range: '0-17'}],
  ['no Range', {type: 'no-range'}],
  ['relative Location', {type: 'location', form: 'relative'}],
  ['cross-origin Location', {type: 'location', form: 'cross-origin'}],
  ['no Location', {type: 'location', form: 'missing'}],
]

describe.each(['resumable', 'forgetful', 'deleting'] as const)('an upload to a %s registry', (uploads) => {
  describe.each(STAGES)('at $kind, $size bytes', ({kind, size}) => {
    const faults = kind === 'send' ? [...FAULTS, ...SEND_FAULTS] : FAULTS
    it.each(faults)('survives %s', async (name, fault) => {
      const {served, registry} = await start({uploads, auth: token}, {credentials, ...patient})
      await registry.hasBlob(REPO, digestOf(noise(1)))
      served.clearLog()
      served.setFaults([{match: {kind}, fault}])
      const bytes = noise(size, name)
      const outcome = await registry.putBlob(REPO, blobOf(bytes))
      expect(outcome.descriptor.digest).toBe(digestOf(bytes))
      expect(served.blobs(REPO)).toEqual([digestOf(bytes)])
      // A session whose opening was never answered is one that nobody can cancel.
      expect(served.openUploads).toBe(kind === 'start' && fault.type === 'reset-after' ? 1 : 0)
      const asked = kinds(served).filter((one) => one !== 'token' && one !== 'ping')
      // Three or four are the clean way; asking what is there, cleaning up and starting again make it nine.
      expect(asked.length).toBeLessThanOrEqual(9)
    })
  })
})

describe('a chunked upload', () => {
  const CHUNKED: readonly (readonly [string, Fault])[] = [...FAULTS, ...SEND_FAULTS]
  it.each(CHUNKED)('survives %s at its second chunk', async (name, fault) => {
    const second = {match: {kind: 'send' as const}, nth: 2, fault}
    const {served, registry} = await start(
      {auth: token, faults: [second]},
      {credentials, chunkSize: 512 * KiB, ...patient},
    )
    const bytes = noise(1.7 * MiB, name)
    await registry.putBlob(REPO, blobOf(bytes))
    expect(served.blobs(REPO)).toEqual([digestOf(bytes)])
    expect(served.openUploads).toBe(0)
  })
})

describe('a torn upload', () => {
  const torn = {match: {kind: 'send'}, fault: {type: 'reset-in-body', after: 1_500_000}} as const

  it('goes on where the registry says it is', async () => {
    const {served, registry} = await start({uploads: 'resumable', faults: [torn]}, patient)
    const bytes = noise(2 * MiB)
    const opened: number[] = []
    const progress: number[] = []
    const outcome = await registry.putBlob(REPO, blobOf(bytes, {onOpen: (offset) => opened.push(offset)}), {
      onProgress: (sent) => progress.push(sent),
    })
    expect(kinds(served)).toEqual(['blob-head', 'start', 'send', 'status', 'send', 'commit'])
    expect(opened).toHaveLength(2)
    expect(opened[1]).toBeGreaterThan(MiB)
    expect(served.bytesReceivedOf(digestOf(bytes))).toBe(bytes.length)
    expect(outcome).toMatchObject({how: 'uploaded', attempts: 2})
    expect(progress.at(-1)).toBe(bytes.length)
    expect(registry.knowledge.resume).toBe('works')
  })

  it('starts again where the registry forgets, which is said once and not asked again', async () => {
    const warnings: string[] = []
    const {served, registry} = await start(
      {uploads: 'forgetful', faults: [torn, {...torn, nth: 2, fault: {...torn.fault, after: 14 * MiB}}]},
      {onWarning: (text) => warnings.push(text)},
    )
    const bytes = noise(16 * MiB)
    await registry.putBlob(REPO, blobOf(bytes))
    expect(kinds(served).filter((kind) => kind === 'status')).toHaveLength(1)
    expect(served.blobs(REPO)).toEqual([digestOf(bytes)])
    expect(warnings).toHaveLength(1)
  })

  it('may tear more often than there are retries, as long as it gets further', async () => {
    const {served, registry} = await start(
      {faults: [{match: {kind: 'send'}, times: 6, fault: {type: 'reset-in-body', after: 300_000}}]},
      {retries: 2},
    )
    const bytes = noise(2 * MiB)
    await registry.putBlob(REPO, blobOf(bytes))
    expect(served.bytesReceivedOf(digestOf(bytes))).toBe(bytes.length)
  })

  it('is given up after the retries where it gets no further, with the reason', async () => {
    const {served, registry} = await start(
      {faults: [{match: {kind: 'send'}, times: Infinity, fault: {type: 'reset-before'}}]},
      {retries: 2, chunkSize: 0},
    )
    await expect(registry.putBlob(REPO, blobOf(noise(2 * MiB)))).rejects.toMatchObject({code: 'UNREACHABLE'})
    expect(kinds(served).filter((kind) => kind === 'send')).toHaveLength(3)
  })
})

describe('Retry-After', () => {
  it('is waited for in full', async () => {
    const fault = {type: 'status', status: 429, headers: {'retry-after': '1'}} as const
    const {served, registry} = await start({faults: [{match: {kind: 'send'}, fault}]}, {retryMaxWait: 5000})
    await registry.putBlob(REPO, blobOf(noise(1.5 * MiB)))
    const sends = served.requests.filter(({kind}) => kind === 'send')
    expect((sends[1]?.startedAt ?? 0) - (sends[0]?.startedAt ?? 0)).toBeGreaterThanOrEqual(1000)
  })

  it('beyond what may be waited is an error at once', async () => {
    const fault = {type: 'status', status: 429, headers: {'retry-after': '3600'}} as const
    const {registry} = await start({faults: [{match: {kind: 'send'}, times: Infinity, fault}]})
    await expect(registry.putBlob(REPO, blobOf(noise(1.5 * MiB)))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
    })
  })
})

describe('a registry that refuses', () => {
  it.each([
    [403, 'DENIED'],
    [413, 'TOO_LARGE'],
  ])('a small blob with %i is believed', async (status, code) => {
    const fault = {type: 'status', status} as const
    const {served, registry} = await start({faults: [{match: {kind: 'commit'}, times: Infinity, fault}]})
    await expect(registry.putBlob(REPO, blobOf(noise(KiB)))).rejects.toMatchObject({code, side: 'target'})
    expect(kinds(served)).toEqual(['blob-head', 'start', 'commit', 'cancel'])
  })

  it('the body of a PUT with 404 is sent a PATCH, now and from then on', async () => {
    const fault = {type: 'status', status: 404} as const
    const {served, registry} = await start({faults: [{match: {kind: 'commit'}, fault}]}, patient)
    for (const seed of ['a', 'b']) await registry.putBlob(REPO, blobOf(noise(KiB, seed)), {absent: true})
    expect(kinds(served)).toEqual([
      'start',
      'commit',
      'cancel',
      'start',
      'send',
      'commit',
      'start',
      'send',
      'commit',
    ])
    expect(registry.knowledge.bodyPut).toBe('broken')
  })

  it('a digest is tried once more and then believed', async () => {
    const body = JSON.stringify({errors: [{code: 'DIGEST_INVALID', message: 'digest did not match'}]})
    const fault = {type: 'status', status: 400, body} as const
    const {served, registry} = await start({faults: [{match: {kind: 'commit'}, times: Infinity, fault}]})
    await expect(registry.putBlob(REPO, blobOf(noise(1.5 * MiB)))).rejects.toMatchObject({side: 'target'})
    expect(kinds(served).filter((kind) => kind === 'commit')).toHaveLength(2)
    expect(served.openUploads).toBe(0)
  })

  it('an upload into a project that is not there is told so, without a retry', async () => {
    const {served, registry} = await start({projects: ['other']})
    await expect(registry.putBlob(REPO, blobOf(noise(1.5 * MiB)))).rejects.toMatchObject({
      code: 'REPOSITORY_UNKNOWN',
    })
    expect(kinds(served)).toEqual(['blob-head', 'start'])
  })
})

describe('an answer that lies', () => {
  it('about the digest it stored is an error', async () => {
    const headers = {'docker-content-digest': digestOf(noise(1))}
    const {registry} = await start({faults: [{match: {kind: 'commit'}, fault: {type: 'headers', headers}}]})
    await expect(registry.putBlob(REPO, blobOf(noise(KiB)))).rejects.toMatchObject({code: 'PROTOCOL'})
  })

  it('without a Location is an error', async () => {
    const {registry} = await start({
      faults: [{match: {kind: 'start'}, fault: {type: 'location', form: 'missing'}}],
    })
    await expect(registry.putBlob(REPO, blobOf(noise(KiB)))).rejects.toMatchObject({code: 'PROTOCOL'})
  })

  it.each(['relative', 'absolute', 'cross-origin'] as const)(
    'is none with %s Locations',
    async (locations) => {
      const {served, registry} = await start({locations, auth: token}, {credentials, chunkSize: MiB})
      const upload = registry.putBlob(REPO, blobOf(noise(2.5 * MiB)))
      if (locations === 'cross-origin') await upload.catch(() => {})
      else await upload
      const elsewhere = served.requests.filter(({origin}) => origin === 'other')
      expect(elsewhere.every(({authorization}) => authorization === undefined)).toBe(true)
      expect(elsewhere.length > 0).toBe(locations === 'cross-origin')
    },
  )
})

describe('a registry that goes away in the middle', () => {
  it('is waited for', async () => {
    const {served, registry} = await start({}, {retryMaxWait: 200})
    const bytes = noise(2 * MiB)
    let away: Promise<void> | undefined
    const blob = blobOf(bytes, {
      pause: (position) => {
        if (position < MiB || away !== undefined) return
        away = served.goDown()
        setTimeout(() => void served.comeBack(), 400)
      },
    })
    await registry.putBlob(REPO, blob)
    expect(served.blobs(REPO)).toEqual([digestOf(bytes)])
  })
})
