import {readdir} from 'node:fs/promises'
import {describe, expect, test} from 'vitest'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import {makeTempDir, seededBytes} from '@airgap-mirror/test/kit'
import {hasRoomFor} from '#src/unpack/scratch-file.js'
import {spool} from '#src/unpack/spool.js'
import {collect, failureOf, inChunks} from './fixtures/packed.js'

const plain = seededBytes('spool', 100_000)

describe('the spool', () => {
  test('gives random access to a stream, and leaves no file that a crash could leave behind', async () => {
    await using directory = await makeTempDir()
    const usage = {decoded: 0, scratchPeak: 0}
    const options = {name: 'a', scratch: {directory: directory.path}, usage}
    await using source = await spool(inChunks(plain, 777), options)
    expect(await readdir(directory.path)).toEqual([])
    expect(source.access).toBe('random')
    expect(await source.size()).toBe(plain.length)
    expect((await collect(source.stream(5000, 50_000))).equals(plain.subarray(5000, 55_000))).toBe(true)
    expect(Buffer.from(await source.read(99_990, 100)).equals(plain.subarray(99_990))).toBe(true)
    expect(source.usage.scratchPeak).toBe(plain.length)
  })

  test('passes on the failure of its stream, and stops at an abort', async () => {
    await using directory = await makeTempDir()
    const usage = {decoded: 0, scratchPeak: 0}
    const options = {name: 'a', scratch: {directory: directory.path}, usage}
    async function* failing() {
      yield plain
      throw new MirrorError('SOURCE_CORRUPT', 'broken')
    }
    expect(await failureOf(spool(failing(), options))).toBe('SOURCE_CORRUPT')
    const signal = AbortSignal.abort()
    expect(await failureOf(spool(inChunks(plain, 10), {...options, signal}))).toBe('CANCELLED')
    expect(await readdir(directory.path)).toEqual([])
  })

  test('names the directory that cannot be written to', async () => {
    const options = {name: 'a', scratch: {directory: '/nowhere/at/all'}, usage: {decoded: 0, scratchPeak: 0}}
    await expect(spool(inChunks(plain, 10), options)).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringContaining('/nowhere/at/all'),
    })
    expect(await hasRoomFor(1, options.scratch)).toBe(false)
  })

  test('counts free space, with a reserve for others', async () => {
    await using directory = await makeTempDir()
    expect(await hasRoomFor(Number.MAX_SAFE_INTEGER, {directory: directory.path})).toBe(false)
  })
})
