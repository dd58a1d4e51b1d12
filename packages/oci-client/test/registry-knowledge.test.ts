import {describe, expect, it} from 'vitest'
import {kinds, KiB, blobOf, MiB, noise, pendingOf, useRegistries} from './registry-kit.js'

const start = useRegistries()

const REPO = 'team/app'

describe('the final form of a pending layer', () => {
  it.each([10 * KiB, 3 * MiB])('is told before the registry is asked to keep it (%i bytes)', async (size) => {
    const {served, registry} = await start()
    const bytes = noise(size)
    const told: unknown[] = []
    const {descriptor} = await registry.putBlob(REPO, pendingOf(bytes), {
      onFinal: async (final) => void told.push([final, served.commits.length]),
    })
    expect(told).toEqual([[descriptor, 0]])
  })
})

describe('what an earlier run learnt of the host', () => {
  it('is used from the start', async () => {
    const {served, registry} = await start({chunks: 404}, {chunkSize: MiB, knowledge: {chunks: 'broken'}})
    await registry.putBlob(REPO, blobOf(noise(3 * MiB)), {absent: true})
    expect(kinds(served)).toEqual(['start', 'send', 'commit'])
  })

  it('is ignored where it makes no sense', async () => {
    const knowledge = {chunks: 'sometimes', chunkMin: -1, bodyMax: '5', mountsRefused: 5, resume: null}
    const {registry} = await start({}, {knowledge})
    expect(registry.knowledge).toEqual({
      mountsRefused: 0,
      chunks: 'unknown',
      chunkMin: 0,
      bodyMax: undefined,
      bodyPut: 'unknown',
      resume: 'unknown',
    })
  })
})
