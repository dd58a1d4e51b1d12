import {tmpdir} from 'node:os'
import type {LayerCompression} from '@airgap-mirror/bundle'
import type {Platform} from '@airgap-mirror/oci-client/model'
import type {Proof} from '../engine/probe-below.js'
import type {Choice} from '../engine/select.js'
import type {SparsePolicy} from '../engine/sparse.js'
import type {ListedImage} from '../names/image-list.js'
import {parsePlatform} from '../names/platforms.js'
import {choiceSettings} from '../job/shared-settings.js'
import {defaults} from './defaults.js'
import {LAYER_COMPRESSIONS} from './flags.js'
import type {FlagReader} from './flag-values.js'

/**
 * Reads the flags that choose among the images of a source.
 * @param listed undefined: all images
 */
export function readChoice({list, on}: FlagReader, listed: readonly ListedImage[] | undefined): Choice {
  return {
    listed,
    include: list('include'),
    exclude: list('exclude'),
    referrers: !on('no-referrers'),
  }
}

/**
 * Reads the flags that choose parts of an image. No platforms stand for all.
 * @throws {MirrorError} USAGE
 */
export function readParts({choice, list}: FlagReader): {
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
} {
  return {
    platforms: list('platform').map(parsePlatform),
    sparse: choice('sparse-index', choiceSettings['sparse-index'].values) ?? defaults.sparseIndex,
  }
}

/** Reads the evidence that an image needs to count as present. */
export function readProof({on}: FlagReader): Proof {
  return on('recheck') ? 'content' : 'manifests'
}

export function readLayerCompression({choice}: FlagReader): LayerCompression {
  return choice('layer-compression', LAYER_COMPRESSIONS) ?? defaults.layerCompression
}

/** The scratch that content of a bundle may use. */
export function readScratch({text, on}: FlagReader): {readonly directory: string} | 'never' {
  return on('no-scratch') ? 'never' : {directory: text('scratch') ?? tmpdir()}
}
