import {formatReference, MirrorError} from '@airgap-mirror/oci-client/model'
import type {MappedImage} from './mapping.js'

const NAMED = 20

/** The error of a mapping that a target has no means to express, naming the images. */
export function notExpressible(
  why: string,
  {images, hint}: {readonly images: readonly MappedImage[]; readonly hint?: string},
): MirrorError {
  const shown = images
    .slice(0, NAMED)
    .map(({source, target}) => `${formatReference(source)} (${formatReference(target)})`)
  const more = images.length > NAMED ? [`${images.length - NAMED} more`] : []
  return new MirrorError('NOT_EXPRESSIBLE', `${why}: ${[...shown, ...more].join(', ')}`, {
    hint: hint ?? 'Push these images under other names, or emit for a target that can express them.',
  })
}

/** The error of a target whose fallback to the public registry has no switch. */
export function cannotCut(target: string, why: string): MirrorError {
  return new MirrorError('NOT_EXPRESSIBLE', `--fallback cut is not possible for ${target}: ${why}`, {
    hint: 'Use --fallback keep, and block the public registries in the network.',
  })
}
