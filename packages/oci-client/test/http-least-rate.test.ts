import {expect, test} from 'vitest'
import type {Bytes} from '#src/model/index.js'
import {atLeastRate, type LeastRate} from '#src/http/least-rate.js'

/** Reads a body on a clock of its own, which the body and its reader set forward. */
async function read(
  body: (pass: (milliseconds: number) => void) => Bytes,
  {least, readerTakes = 0}: {readonly least: LeastRate; readonly readerTakes?: number},
): Promise<number> {
  let clock = 0
  const pass = (milliseconds: number): void => void (clock += milliseconds)
  let size = 0
  const options = {origin: 'https://registry.example:5000', side: 'source', least, now: () => clock} as const
  for await (const chunk of atLeastRate(body(pass), options)) {
    size += chunk.length
    pass(readerTakes)
  }
  return size
}

test('a body that drips without end is given up once it is slower than the least rate', async () => {
  const dripping = async function* (pass: (milliseconds: number) => void): Bytes {
    for (;;) {
      pass(5000)
      yield Uint8Array.of(1)
    }
  }
  await expect(read(dripping, {least: {span: 20_000, rate: 100}})).rejects.toMatchObject({
    code: 'TIMEOUT',
    side: 'source',
    message: 'registry.example:5000 sent 5 bytes in 25 s: too slow to wait for',
  })
})

test('the time that a reader takes between two chunks does not count', async () => {
  const chunks = async function* (): Bytes {
    for (let count = 0; count < 3; count++) yield Uint8Array.of(1)
  }
  expect(await read(chunks, {least: {span: 40, rate: 1_000_000}, readerTakes: 60})).toBe(3)
})

test('many bytes at the start earn a body no patience later', async () => {
  const chunks = async function* (pass: (milliseconds: number) => void): Bytes {
    for (let count = 0; count < 100; count++) yield new Uint8Array(1_000_000)
    for (let count = 0; count < 100; count++) {
      pass(5)
      yield Uint8Array.of(1)
    }
  }
  await expect(read(chunks, {least: {span: 20, rate: 100_000}})).rejects.toMatchObject({code: 'TIMEOUT'})
})
