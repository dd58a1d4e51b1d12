/** What extension headers say about the member after them, or, if global, about all that follow. */
export interface TarExtension {
  readonly path?: string
  readonly linkPath?: string
  readonly size?: number
  /** The member is stored without its holes; the key that says so. */
  readonly sparse?: string
}

/**
 * Decodes pax records, `LENGTH KEY=VALUE\n` each (POSIX pax, Extended Header). Of several with one key the last counts.
 * @returns undefined where a record is malformed
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
    const field = equals < 0 ? undefined : fieldOf(record.slice(0, equals), record.slice(equals + 1))
    if (field === undefined) return undefined
    Object.assign(extension, field)
    at = end
  }
  return extension
}

function fieldOf(key: string, value: string): TarExtension | undefined {
  if (key.startsWith('GNU.sparse.')) return {sparse: key}
  // An empty value takes a global one back; a member's own header then counts, which is what no value does here too.
  if (value === '') return {}
  if (key === 'path') return value.includes('\0') ? undefined : {path: value}
  if (key === 'linkpath') return value.includes('\0') ? undefined : {linkPath: value}
  if (key !== 'size') return {}
  const size = /^[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN
  return Number.isSafeInteger(size) ? {size} : undefined
}
