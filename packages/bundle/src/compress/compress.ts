import type {Bytes} from '@airgap-mirror/oci-client/model'

/** The compression of layers that a bundle holds plain and that no manifest describes. */
export type LayerCompression = 'gzip' | 'zstd' | 'none'

/**
 * Compresses a plain layer over several threads, off the main thread. The same bytes always give the same result, on
 * every Node version and machine. It is done with a chunk of `plain` before it asks for the next.
 */
export type CompressLayer = (plain: Bytes, options?: {readonly signal?: AbortSignal}) => Bytes
