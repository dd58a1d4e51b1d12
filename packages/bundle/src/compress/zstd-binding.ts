import {createRequire} from 'node:module'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import type * as zstd from 'zstd-napi/binding.js'

/** Optional, and pinned in package.json because another libzstd inside would give other digests. */
export type Zstd = typeof zstd

/** @throws {MirrorError} SOURCE_UNSUPPORTED if the package is missing or its native code does not load */
export function loadZstd(): Zstd {
  try {
    return createRequire(import.meta.url)('zstd-napi/binding.js') as Zstd
  } catch (cause) {
    throw new MirrorError('SOURCE_UNSUPPORTED', 'layers cannot be compressed with zstd on this machine', {
      advice: {kind: 'use-gzip-layers'},
      cause,
    })
  }
}
