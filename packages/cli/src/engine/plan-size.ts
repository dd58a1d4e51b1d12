import {limits, MirrorError, type PendingImage} from '@airgap-mirror/oci-client/model'
import {nodesOf, type ImageNode} from './gather.js'

interface Planned {
  readonly image: {readonly node: ImageNode} | {readonly pending: PendingImage} | {readonly error: Error}
}

/**
 * Refuses images whose plan would be too big. Shared content is small in a bundle but planned for each image. Ten thousand
 * names for an image of ten thousand layers take a few hundred kilobytes in a bundle.
 * @throws {MirrorError} LIMIT_EXCEEDED
 */
export function refuseTooMuch(pairs: readonly Planned[]): void {
  let steps = 0
  for (const {image} of pairs) {
    if ('pending' in image) steps += 2 + image.pending.layers.length
    if ('node' in image) {
      for (const {manifest} of nodesOf(image.node)) {
        steps += 1 + (manifest.kind === 'image' ? 1 + manifest.layers.length : 0)
      }
    }
    if (steps > limits.planSteps)
      throw tooMuch(`over ${limits.planSteps} manifests and blobs, shared ones counted each time`)
  }
}

export function tooMuch(what: string): MirrorError {
  return new MirrorError('LIMIT_EXCEEDED', `the images hold ${what}`, {
    side: 'source',
    advice: {kind: 'push-in-parts'},
  })
}
