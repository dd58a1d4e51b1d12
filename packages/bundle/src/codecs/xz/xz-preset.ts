import type {CallOptions} from '@airgap-mirror/oci-client/model'
import type {InPlace} from './in-place.js'

/**
 * The thread that encodes: one of libuv's pool, or the one that calls. The pool has four threads for the whole process, and a
 * worker thread of its own costs 10 MiB more.
 */
export type EncodingThread = 'pool' | 'caller'

/**
 * Encodes the plain bytes of a block in its own memory.
 * @returns an .xz stream of one block with a CRC32
 * @throws {MirrorError} CANCELLED
 */
export type EncodeStream = (block: InPlace, options?: CallOptions) => Promise<Uint8Array<ArrayBuffer>>

/**
 * `-3e`: the thorough search of xz's default `-6` with half its dictionary, so with half its memory. node-liblzma takes a
 * preset and no dictionary size. All releases of liblzma since 5.2 give the same bytes for it, so the library is chosen
 * by speed; a test compares the two.
 */
export const XZ_PRESET = 3 + 2 ** 31

/** The dictionary size of `XZ_PRESET`, 4 MiB, as encoded in a block header (xz-file-format.txt 1.2, 5.3.1). */
export const XZ_DICTIONARY_BITS = 20
