import {createHash} from 'node:crypto'

/** Raised with every change of the format. Older entries then count as absent. */
const FORMAT = 'mirror-state/1'

/** An entry's content under a line that tells whether it is whole, and whose it is. */
export function seal(key: string, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(head(key, content)), content])
}

/** @returns undefined if it is damaged, another key's, or of another version */
export function unseal(key: string, sealed: Uint8Array): Uint8Array | undefined {
  const content = sealed.subarray(HEAD_BYTES)
  const isWhole = Buffer.from(sealed.subarray(0, HEAD_BYTES)).toString('latin1') === head(key, content)
  return isWhole ? content : undefined
}

function head(key: string, content: Uint8Array): string {
  const keyed = createHash('sha256').update(JSON.stringify(key)).update(content)
  return `${FORMAT} sha256:${keyed.digest('hex')}\n`
}

export const HEAD_BYTES = FORMAT.length + ' sha256:'.length + 64 + 1
