/**
 * Returns lengths of a prefix code for symbols of these frequencies, at most `limit` bits; 0 for an unused symbol. The
 * code is complete and has at least two symbols, because some inflaters refuse less.
 */
export function codeLengths(frequencies: Int32Array, limit: number): Uint8Array {
  const lengths = new Uint8Array(frequencies.length)
  const order = rarestFirst(frequencies)
  const used = order.length
  if (used < 2) {
    lengths.fill(1, 0, 2)
    if (used === 1 && order[0] !== 0) lengths[1] = 0
    if (used === 1) lengths[order[0] ?? 0] = 1
    return lengths
  }
  const atLength = countDepths(frequencies, order, limit)
  repairKraft(atLength, limit)
  let next = 0
  for (let length = limit; length > 0; length--) {
    for (let left = atLength[length] ?? 0; left > 0; left--) lengths[order[next++] ?? 0] = length
  }
  return lengths
}

/**
 * Returns canonical codes as `bits << 4
 * length`. The bits are reversed because deflate sends codes from their highest bit.
 */
export function packCodes(lengths: Uint8Array): Int32Array {
  const atLength = new Int32Array(17)
  for (const length of lengths) if (length > 0) atLength[length] = (atLength[length] ?? 0) + 1
  const next = new Int32Array(17)
  for (let length = 1; length < 17; length++) {
    next[length] = ((next[length - 1] ?? 0) + (atLength[length - 1] ?? 0)) << 1
  }
  return Int32Array.from(lengths, (length) => {
    if (length === 0) return 0
    const code = next[length] ?? 0
    next[length] = code + 1
    return (reversed(code, length) << 4) | length
  })
}

/** Returns used symbols by frequency, then by number, so that ties fall the same way everywhere. */
function rarestFirst(frequencies: Int32Array): Int32Array {
  // A frequency is below 2^18 and a symbol below 2^9, so both fit one integer.
  const keys = frequencies
    .map((frequency, symbol) => (frequency === 0 ? 0 : (frequency << 9) | symbol))
    .sort()
  return keys.subarray(keys.findLastIndex((key) => key === 0) + 1).map((key) => key & 511)
}

/** Builds Huffman's tree with two queues and counts its leaves by depth; deeper leaves count at `limit`. */
function countDepths(frequencies: Int32Array, order: Int32Array, limit: number): Int32Array {
  const used = order.length
  const nodes = 2 * used - 1
  const weight = new Int32Array(nodes)
  const parent = new Int32Array(nodes)
  for (let leaf = 0; leaf < used; leaf++) weight[leaf] = frequencies[order[leaf] ?? 0] ?? 0
  let leaf = 0
  let inner = used
  const lightest = (end: number): number =>
    leaf < used && (inner >= end || (weight[leaf] ?? 0) <= (weight[inner] ?? 0)) ? leaf++ : inner++
  for (let node = used; node < nodes; node++) {
    const left = lightest(node)
    const right = lightest(node)
    weight[node] = (weight[left] ?? 0) + (weight[right] ?? 0)
    parent[left] = node
    parent[right] = node
  }
  const depth = new Uint8Array(nodes)
  const atLength = new Int32Array(limit + 1)
  for (let node = nodes - 2; node >= 0; node--) {
    const own = (depth[parent[node] ?? 0] ?? 0) + 1
    depth[node] = own
    if (node < used) atLength[Math.min(own, limit)] = (atLength[Math.min(own, limit)] ?? 0) + 1
  }
  return atLength
}

/** Lengthens short codes until the code is complete, because cutting long codes to the limit oversubscribes it. */
function repairKraft(atLength: Int32Array, limit: number): void {
  const capacity = 2 ** limit
  let taken = atLength.reduce(
    (sum, count, length) => (length === 0 ? 0 : sum + count * 2 ** (limit - length)),
    0,
  )
  for (; taken > capacity; taken--) {
    let shorter = limit - 1
    while (atLength[shorter] === 0) shorter--
    atLength[limit] = (atLength[limit] ?? 0) - 1
    atLength[shorter] = (atLength[shorter] ?? 0) - 1
    atLength[shorter + 1] = (atLength[shorter + 1] ?? 0) + 2
  }
}

function reversed(code: number, length: number): number {
  let result = 0
  for (let bit = 0; bit < length; bit++) result = (result << 1) | ((code >>> bit) & 1)
  return result
}
