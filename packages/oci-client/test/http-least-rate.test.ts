import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {atLeastRate} from '#src/http/least-rate.js'

async function* dripping(): AsyncGenerator<Uint8Array> {
  for (;;) {
    await sleep(5)
    yield Uint8Array.of(1)
  }
}

const options = {origin: 'https://registry.example:5000', side: 'source'} as const

test('a body that drips without end is given up once it is slower than the least rate', async () => {
  const read = async (): Promise<void> => {
    for await (const _ of atLeastRate(dripping(), {...options, least: {span: 20, rate: 1_000_000}})) continue
  }
  await expect(read()).rejects.toMatchObject({
    code: 'TIMEOUT',
    side: 'source',
    message: expect.stringContaining('registry.example:5000 sent ') as string,
  })
})

test('the time that a reader takes between two chunks does not count', async () => {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 3; count++) yield Uint8Array.of(1)
  }
  let read = 0
  for await (const chunk of atLeastRate(chunks(), {...options, least: {span: 40, rate: 1_000_000}})) {
    read += chunk.length
    await sleep(60)
  }
  expect(read).toBe(3)
})

test('many bytes at the start earn a body no patience later', async () => {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 100; count++) yield new Uint8Array(1_000_000)
    for (let count = 0; count < 100; count++) {
      await sleep(5)
      yield Uint8Array.of(1)
    }
  }
  const read = async (): Promise<void> => {
    for await (const _ of atLeastRate(chunks(), {...options, least: {span: 20, rate: 100_000}})) continue
  }
  await expect(read()).rejects.toMatchObject({code: 'TIMEOUT'})
})
