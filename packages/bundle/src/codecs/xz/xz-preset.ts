/** Returns an .xz stream of one block with a CRC32, encoded on the calling thread, valid until the next call. */
export type EncodeStream = (plain: Uint8Array) => Uint8Array

/**
 * xz's own default. All releases of liblzma since 5.2 give the same bytes for it, so the library is chosen by speed; a
 * test compares the two.
 */
export const XZ_PRESET = 6

/** The dictionary size of `XZ_PRESET`, 8 MiB, as encoded in a block header (xz-file-format.txt 1.2, 5.3.1). */
export const XZ_DICTIONARY_BITS = 22
