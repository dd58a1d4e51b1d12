import {MirrorError} from '@airgap-mirror/oci-client/model'
import type {OlderContent} from '../../run/older-content.js'
import {isSamePlace} from '../../run/output-problems.js'
import type {SaveOutput} from './save-output.js'

/**
 * Refuses to write a delta bundle in the place of the bundle that it is made after: the blobs that it leaves out would be lost.
 * @throws {MirrorError} USAGE
 */
export async function refuseOverOlder(
  {kind, path}: SaveOutput,
  older: readonly OlderContent[],
): Promise<void> {
  if (kind === 'stream') return
  for (const one of older) {
    if (!('bundle' in one)) continue
    const unnumbered = one.bundle.replace(/\.\d{3,5}$/, '')
    if ((await isSamePlace(path, one.bundle)) || (await isSamePlace(path, unnumbered))) {
      throw new MirrorError('USAGE', `--output ${path} is the bundle that --since names`, {
        hint: 'Give the delta bundle a name of its own.',
      })
    }
  }
}
