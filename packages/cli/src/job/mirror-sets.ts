import {messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {memoryFiles} from '../cluster/files/memory-files.js'
import {isMirrorSet, readManifests} from '../cluster/openshift/manifests.js'
import {renderCluster} from '../cluster/openshift/render-cluster.js'
import {mirrorsOf} from './registries-conf.js'
import type {SourceMirrors} from './source-mirrors.js'

/**
 * Reads the mirror sets of OpenShift, and its image configuration if it is among them, as the Machine Config Operator merges
 * them. Undefined for a file without a mirror set.
 * @throws {MirrorError} CONFIG_INVALID
 */
export function parseMirrorSets(text: string, {name}: {readonly name: string}): SourceMirrors | undefined {
  if (!isMirrorSet(text)) return undefined
  const files = memoryFiles(new Map([[`${name}.yaml`, text]]))
  try {
    const {registries} = renderCluster(readManifests(files).manifests, files)
    return mirrorsOf(registries.entries, name)
  } catch (cause) {
    throw new MirrorError('CONFIG_INVALID', `${name}: ${messageOf(cause)}`, {cause})
  }
}
