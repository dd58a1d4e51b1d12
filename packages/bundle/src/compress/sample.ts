import {createDeflate} from './deflate/deflate.js'

/** What is judged at once. */
export const SAMPLED_BYTES = 1024 * 1024

const SLICES = 16
const SLICE_BYTES = 4 * 1024
/** What saves less than one byte in so many is not worth its time: layers that are compressed already save none. */
const LEAST_SAVING = 64

/**
 * Tells whether bytes, at most `SAMPLED_BYTES`, are worth compressing, from slices of them. The answer depends on the bytes
 * alone: integers only, by an encoder of our own.
 */
export function createSampler(): (plain: Uint8Array) => boolean {
  const deflate = createDeflate()
  const sample = new Uint8Array(SLICES * SLICE_BYTES)
  return (plain) => {
    const taken = sliced(plain, sample)
    return (taken.length - deflate(taken).length) * LEAST_SAVING >= taken.length
  }
}

function sliced(plain: Uint8Array, sample: Uint8Array): Uint8Array {
  if (plain.length <= sample.length) return plain
  const step = Math.floor((plain.length - SLICE_BYTES) / (SLICES - 1))
  for (let slice = 0; slice < SLICES; slice += 1) {
    sample.set(plain.subarray(slice * step, slice * step + SLICE_BYTES), slice * SLICE_BYTES)
  }
  return sample
}
