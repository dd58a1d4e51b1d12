import {describe, expect, it} from 'vitest'
import {withDigest} from '#src/client/endpoints.js'
import {unknownHost, type HostKnowledge} from '#src/client/host-knowledge.js'
import {smallerBody, uploadMode, type UploadMode} from '#src/registry/upload/upload-mode.js'
import {receivedBytes} from '#src/registry/upload/upload-range.js'
import {judgeUpload, type UploadFailure} from '#src/registry/upload/upload-verdict.js'
import {digestOf} from '#src/model/index.js'

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB
function hostWith(known: Partial<HostKnowledge> = {}): HostKnowledge {
  return {...unknownHost(), ...known}
}

describe('the way a blob is sent', () => {
  const whole: UploadMode = {kind: 'whole'}
  const stream: UploadMode = {kind: 'stream'}
  const chunks = (size: number): UploadMode => ({kind: 'chunks', size})

  it.each<[string, Partial<HostKnowledge>, number | undefined, 'auto' | number, UploadMode]>([
    ['small: with the PUT', {}, 10, 'auto', whole],
    ['empty: with the PUT', {}, 0, 'auto', whole],
    ['small, where a PUT may have no body: one PATCH', {bodyPut: 'broken'}, 10, 'auto', stream],
    ['small, but larger than the chunks asked for', {}, 10 * KiB, KiB, chunks(KiB)],
    ['small, behind a body limit below it', {bodyMax: KiB}, 10 * KiB, 'auto', chunks(KiB)],
    ['large, of an unknown host: one PATCH', {}, 10 * GiB, 'auto', stream],
    ['large, where chunks were seen to work', {chunks: 'work'}, 10 * GiB, 'auto', chunks(64 * MiB)],
    ['large, where a minimum was announced', {chunkMin: 5 * MiB}, 10 * GiB, 'auto', chunks(64 * MiB)],
    ['large, behind a body limit', {bodyMax: MiB}, 10 * GiB, 'auto', chunks(MiB)],
    ['large, where chunks are known not to work', {chunks: 'broken'}, 10 * GiB, 5 * MiB, stream],
    ['large, with a size given', {}, 10 * GiB, 5 * MiB, chunks(5 * MiB)],
    ['large, with a size below the minimum', {chunkMin: 5 * MiB}, 10 * GiB, MiB, chunks(5 * MiB)],
    ['large, with chunks switched off', {chunks: 'work', bodyMax: MiB}, 10 * GiB, 0, stream],
    ['no larger than a chunk: one PATCH', {}, 5 * MiB, 5 * MiB, stream],
    ['of unknown length: one PATCH', {}, undefined, 'auto', stream],
    ['of unknown length, in chunks: small enough to be held', {}, undefined, GiB, chunks(16 * MiB)],
  ])('%s', (_what, known, remaining, chunkSize, expected) => {
    expect(uploadMode(hostWith(known), {remaining, chunkSize})).toEqual(expected)
  })

  it('gets smaller by halves, from what was refused down to a floor', () => {
    const host = hostWith()
    const sizes: number[] = []
    for (let refused = 10 * GiB; ;) {
      const next = smallerBody(host, {refused, chunkSize: 'auto'})
      if (next === undefined) break
      sizes.push(next)
      host.bodyMax = next
      refused = next
    }
    expect(sizes[0]).toBe(64 * MiB)
    expect(sizes.at(-1)).toBe(128 * KiB)
    expect(sizes).toHaveLength(10)
  })

  it('does not shrink below what another upload has found out meanwhile', () => {
    expect(smallerBody(hostWith({bodyMax: MiB}), {refused: 64 * MiB, chunkSize: 'auto'})).toBe(MiB)
  })
})

describe('the judgement of a failed request', () => {
  const failure = (fields: Partial<UploadFailure>): UploadFailure => ({
    stage: 'stream',
    status: 500,
    code: 'REGISTRY_FAILED',
    offset: 0,
    body: GiB,
    ...fields,
  })

  it.each<[Partial<UploadFailure>, Partial<HostKnowledge>, object | 'final']>([
    [{stage: 'open', status: 503}, {}, {next: 'renew', why: 'busy'}],
    [{stage: 'stream', status: 503}, {}, {next: 'resume', why: 'busy'}],
    [{stage: 'commit', status: 429}, {}, {next: 'resume', why: 'busy'}],
    [{stage: 'stream', status: 401}, {}, {next: 'resume', why: 'expired'}],
    [{stage: 'commit', status: 401}, {}, 'final'],
    [{stage: 'open', status: 404}, {}, 'final'],
    [{stage: 'stream', status: 403}, {}, 'final'],
    [{stage: 'whole', status: 404}, {}, {next: 'renew', why: 'adapt', learn: {bodyPut: 'broken'}}],
    [{stage: 'whole', status: 404}, {bodyPut: 'works'}, {next: 'renew', why: 'gone'}],
    [{stage: 'whole', status: 404, code: 'REPOSITORY_UNKNOWN'}, {}, 'final'],
    [{stage: 'chunk', status: 416}, {}, {next: 'renew', why: 'adapt', learn: {chunks: 'broken'}}],
    [{stage: 'chunk', status: 202}, {}, {next: 'renew', why: 'adapt', learn: {chunks: 'broken'}}],
    [{stage: 'chunk', status: 416}, {chunks: 'work'}, {next: 'resume', why: 'refused'}],
    [{stage: 'stream', status: 404}, {}, {next: 'renew', why: 'gone'}],
    [{stage: 'stream', status: 413}, {}, {next: 'renew', why: 'adapt', learn: {bodyMax: 64 * MiB}}],
    [{stage: 'chunk', status: 413, offset: 1}, {}, {next: 'resume', why: 'adapt'}],
    [{stage: 'stream', status: 413}, {chunks: 'broken'}, 'final'],
    [{stage: 'commit', status: 400}, {}, {next: 'renew', why: 'refused'}],
    [{stage: 'commit', status: 405}, {}, 'final'],
  ])('%o of a host with %o is %o', (fields, known, expected) => {
    const verdict = judgeUpload(failure(fields), {host: hostWith(known), chunkSize: 'auto'})
    expect(verdict ?? {next: 'nothing'}).toMatchObject(expected === 'final' ? {next: 'nothing'} : expected)
  })
})

describe('what a registry says of an upload', () => {
  it.each([
    ['0-9', 10],
    ['bytes=0-9', 10],
    ['0-0', 0],
    ['', undefined],
    ['5-9', undefined],
    ['0--1', undefined],
    ['0-99999999999999999999', undefined],
    [undefined, undefined],
  ])('Range %s is %s bytes', (range, bytes) => {
    expect(receivedBytes(range)).toBe(bytes)
  })

  it('keeps its query byte for byte when the digest is added', () => {
    const digest = digestOf(Buffer.from('x'))
    expect(withDigest("/u?_state=a%2b~'(x)%3d==", digest)).toBe(
      `/u?_state=a%2b~'(x)%3d==&digest=${encodeURIComponent(digest)}`,
    )
    expect(withDigest('/u', digest)).toBe(`/u?digest=${encodeURIComponent(digest)}`)
  })
})
