import type {InPlace} from './in-place.js'

/**
 * Encodes the plain bytes of a block in its own memory, on the calling thread.
 * @returns an .xz stream of one block with a CRC32
 */
export type EncodeStream = (block: InPlace) => Uint8Array

/**
 * `-3e`: the thorough search of xz's default `-6` with half its dictionary, so with half its memory. node-liblzma takes a
 * preset and no dictionary size. All releases of liblzma since 5.2 give the same bytes for it, so the library is chosen
 * by speed; a test compares the two.
 */
export const XZ_PRESET = 3 + 2 ** 31

/** The dictionary size of `XZ_PRESET`, 4 MiB, as encoded in a block header (xz-file-format.txt 1.2, 5.3.1). */
export const XZ_DICTIONARY_BITS = 20
