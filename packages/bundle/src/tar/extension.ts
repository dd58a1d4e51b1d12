/** The pax records of a sparse file (GNU tar's manual, Storing Sparse Files: the PAX formats 0.0, 0.1 and 1.0). */
interface SparseRecords {
  readonly name?: string
  readonly realSize?: number
  /** Format 1.0 has its map at the start of the content. */
  readonly major?: number
  /** Offset and length of each stored part in turn, for the formats 0.0 and 0.1. */
  readonly map?: readonly number[]
}

/** The data of extension headers for the next member or, if global, for all later members. */
export interface TarExtension {
  readonly path?: string
  readonly linkPath?: string
  readonly size?: number
  readonly sparse?: SparseRecords
}

/**
 * Decodes pax records, `LENGTH KEY=VALUE\n` each (POSIX pax, Extended Header). If a key repeats, the last record wins.
 * @returns undefined if a record is malformed
 */
export function decodePax(content: Uint8Array): TarExtension | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
  const extension: TarExtension = {}
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const digits = space < 0 ? '' : bytes.toString('latin1', at, Math.min(space, at + 10))
    const end = /^[1-9][0-9]*$/.test(digits) ? at + Number(digits) : 0
    if (end <= space + 1 || end > bytes.length || bytes[end - 1] !== 0x0a) return undefined
    const record = bytes.toString('utf8', space + 1, end - 1)
    const equals = record.indexOf('=')
    const field =
      equals < 0 ? undefined : fieldOf(record.slice(0, equals), record.slice(equals + 1), extension.sparse)
    if (field === undefined) return undefined
    Object.assign(extension, field)
    at = end
  }
  return extension
}

function fieldOf(key: string, value: string, sparse: SparseRecords | undefined): TarExtension | undefined {
  if (key.startsWith('GNU.sparse.')) {
    const records = sparseField(key.slice('GNU.sparse.'.length), value, sparse?.map ?? [])
    return records === undefined ? undefined : {sparse: {...sparse, ...records}}
  }
  // An empty value cancels a global value, so the member's own header counts: the same as no value here.
  if (value === '') return {}
  if (key === 'path') return value.includes('\0') ? undefined : {path: value}
  if (key === 'linkpath') return value.includes('\0') ? undefined : {linkPath: value}
  if (key !== 'size') return {}
  const size = numberIn(value)
  return size === undefined ? undefined : {size}
}

function sparseField(key: string, value: string, map: readonly number[]): SparseRecords | undefined {
  if (key === 'name') return value.includes('\0') || value === '' ? undefined : {name: value}
  if (key === 'map') {
    const numbers = value === '' ? [] : value.split(',').map(numberIn)
    return numbers.every((one) => one !== undefined) ? {map: numbers} : undefined
  }
  const number = numberIn(value)
  if (number === undefined) return undefined
  if (key === 'realsize' || key === 'size') return {realSize: number}
  if (key === 'major') return {major: number}
  // Pushing keeps a long map linear, and this list is not shared; copying it for each record would not.
  if (key === 'offset' || key === 'numbytes') {
    const grown = map as number[]
    grown.push(number)
    return {map: grown}
  }
  return {}
}

function numberIn(value: string): number | undefined {
  const number = /^[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}
