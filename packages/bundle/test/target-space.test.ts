import {describe, expect, test} from 'vitest'
import {errorOf} from './fixtures/opened.js'
import {reserveOf, SpaceWatch} from '#src/bytes/disk-space.js'
import {targetSpace} from '#src/write/target-space.js'

const MiB = 1024 * 1024

describe('the reserve of a disk', () => {
  test.each([
    ['a large disk', 1_000_000 * MiB, 256 * MiB],
    ['a memory stick', 1000 * MiB, 50 * MiB],
    ['no disk at all', 0, 0],
  ])('%s', (_, size, reserve) => {
    expect(reserveOf({size})).toBe(reserve)
  })
})

test('the first bytes are refused on a disk that has no more than its reserve', async () => {
  const take = targetSpace('out.tar', async () => ({size: 1000 * MiB, free: 50 * MiB}))
  expect(await errorOf(take(1))).toMatchObject({
    code: 'WRITE_FAILED',
    side: 'target',
    message: 'cannot write out.tar: its disk has only 50 MiB free',
    advice: {kind: 'free-disk'},
  })
})

test('bytes are refused before they would use the reserve', async () => {
  let free = 500 * MiB
  const take = targetSpace('out.tar', async () => ({size: 1000 * MiB, free}))
  let written = 0
  const error = await errorOf(
    (async () => {
      for (; written < 1000 * MiB; written += MiB) {
        await take(MiB)
        free -= MiB
      }
    })(),
  )
  expect(error.code).toBe('WRITE_FAILED')
  expect(free).toBe(50 * MiB)
})

test('a missing directory has the space of the nearest one above it', async () => {
  await expect(targetSpace('/no/such/directory/out.tar')(1)).resolves.toBeUndefined()
})

test('a grace lets small files through without a question', async () => {
  const watch = new SpaceWatch(() => Promise.reject(new Error('it was asked')), {grace: 16 * MiB})
  expect(await watch.lack(15 * MiB)).toBeUndefined()
  await expect(watch.lack(MiB)).rejects.toThrow('it was asked')
})
