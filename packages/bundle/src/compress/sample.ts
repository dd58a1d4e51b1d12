import {createDeflate} from './deflate/deflate.js'

/** The most bytes that one call judges. */
export const SAMPLED_BYTES = 1024 * 1024

const SLICES = 16
const SLICE_BYTES = 4 * 1024
/** The least part of bytes to save: a smaller gain is not worth its time. Compressed layers save nothing. */
const LEAST_SAVING = 64

/**
 * Returns a function that samples slices of at most `SAMPLED_BYTES` and returns true if compressing is worth it. The
 * answer depends only on the bytes: integers only, with our own encoder.
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
