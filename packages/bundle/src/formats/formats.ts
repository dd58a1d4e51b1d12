import {dockerArchive} from './docker-archive.js'
import type {Format} from './format.js'
import {imgpkg} from './imgpkg.js'
import {ociLayout} from './oci-layout.js'
import {skopeoDir} from './skopeo-dir.js'

/**
 * Every format, in the order of detection: an OCI layout beside docker's manifest.json comes first because it has the
 * digests.
 */
export const FORMATS: readonly Format[] = [ociLayout, dockerArchive, imgpkg, skopeoDir]
