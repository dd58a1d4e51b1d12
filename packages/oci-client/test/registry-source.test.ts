import {describe, expect, it} from 'vitest'
import {digestOf, isMirrorError, MirrorError} from '#src/model/index.js'
import {blobOf, kinds, methods, MiB, noise, pendingOf, useRegistries} from './registry-kit.js'

const start = useRegistries()

const REPO = 'team/app'

describe('a layer that is compressed on the way', () => {
  it('is given the digest of what was sent', async () => {
    const {served, registry} = await start()
    const bytes = noise(1.5 * MiB)
    const {descriptor} = await registry.putBlob(REPO, pendingOf(bytes))
    expect(descriptor).toEqual({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: digestOf(bytes),
      size: bytes.length,
    })
    expect(methods(served)).toBe('POST PATCH PUT')
    expect(served.requests[1]?.headers['transfer-encoding']).toBe('chunked')
  })

  it('goes with the committing PUT where it turns out small', async () => {
    const {served, registry} = await start()
    const bytes = noise(1000)
    const {descriptor} = await registry.putBlob(REPO, pendingOf(bytes))
    expect(descriptor.digest).toBe(digestOf(bytes))
    expect(methods(served)).toBe('POST PUT')
  })

  it('is sent in chunks where the user asks for them', async () => {
    const {served, registry} = await start({}, {chunkSize: MiB})
    const bytes = noise(2.5 * MiB)
    const {descriptor} = await registry.putBlob(REPO, pendingOf(bytes))
    expect(methods(served)).toBe('POST PATCH PATCH PATCH PUT')
    expect(descriptor.size).toBe(bytes.length)
  })

  it('keeps its digest when it is continued in the middle', async () => {
    const fault = {match: {kind: 'send' as const}, fault: {type: 'reset-in-body' as const, after: 700_000}}
    const {served, registry} = await start({faults: [fault]})
    const bytes = noise(1.5 * MiB)
    const {descriptor} = await registry.putBlob(REPO, pendingOf(bytes))
    expect(descriptor.digest).toBe(digestOf(bytes))
    expect(kinds(served)).toEqual(['start', 'send', 'status', 'send', 'commit'])
  })
})

describe('a source', () => {
  it('that fails is told as it is, is not tried again, and leaves no session', async () => {
    const {served, registry} = await start()
    const failure = new MirrorError('SOURCE_CORRUPT', 'broken in the middle', {side: 'source'})
    const blob = blobOf(noise(2 * MiB), {
      pause: (position) => {
        if (position >= MiB) throw failure
      },
    })
    await expect(registry.putBlob(REPO, blob)).rejects.toBe(failure)
    expect(kinds(served)).toEqual(['blob-head', 'start', 'send', 'cancel'])
    expect(served.openUploads).toBe(0)
    expect(served.commits).toEqual([])
  })

  it.each([1000, 2 * MiB])(
    'whose bytes are not those of its digest is never committed (%i bytes)',
    async (size) => {
      const {served, registry} = await start()
      const blob = blobOf(noise(size), {digest: digestOf(noise(1))})
      await expect(registry.putBlob(REPO, blob)).rejects.toMatchObject({code: 'DIGEST_MISMATCH'})
      expect(kinds(served)).not.toContain('commit')
      expect(served.openUploads).toBe(0)
    },
  )

  it.each([
    ['longer', -5, 'DIGEST_MISMATCH'],
    ['shorter', 5, 'SOURCE_TRUNCATED'],
  ])('that is %s than it says is refused', async (_how, difference, code) => {
    const {registry} = await start()
    const blob = blobOf(noise(2 * MiB), {size: 2 * MiB + difference})
    await expect(registry.putBlob(REPO, blob)).rejects.toMatchObject({code})
  })

  it('is opened only after the registry has let the upload in', async () => {
    const {served, registry} = await start({
      auth: {type: 'basic', users: [{name: 'u', password: 'p'}]},
    })
    const opened: number[] = []
    const blob = blobOf(noise(2 * MiB), {onOpen: (offset) => opened.push(offset)})
    const failed = await registry.putBlob(REPO, blob, {absent: true}).catch((error: unknown) => error)
    expect(isMirrorError(failed) && failed.code).toBe('AUTH_REQUIRED')
    expect(opened).toEqual([])
    expect(served.bytesReceived).toBe(0)
  })

  it('that waits is stopped by the signal, and the session is cancelled', async () => {
    const {served, registry} = await start()
    const stop = new AbortController()
    const blob = blobOf(noise(2 * MiB), {
      pause: async (position, signal) => {
        if (position < MiB) return
        setTimeout(() => stop.abort(), 20)
        await new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('stopped')))
        })
      },
    })
    await expect(registry.putBlob(REPO, blob, {signal: stop.signal})).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    expect(served.openUploads).toBe(0)
  })
})
