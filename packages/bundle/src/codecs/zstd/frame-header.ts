/** Sizes of a frame header's fields. */
export interface HeaderFields {
  readonly window: number
  readonly dictionary: number
  readonly content: number
}

/** Returns the sizes of the header's fields from its descriptor byte (RFC 8878, 3.1.1.1). */
export function fieldsOf(descriptor: number): HeaderFields {
  const isSingleSegment = (descriptor & 0x20) !== 0
  const content = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  return {window: isSingleSegment ? 0 : 1, dictionary: [0, 1, 2, 4][descriptor & 3] ?? 0, content}
}

/** Returns the length of the header behind its descriptor byte. */
export function headerBytesAfter(descriptor: number): number {
  const {window, dictionary, content} = fieldsOf(descriptor)
  return window + dictionary + content
}
