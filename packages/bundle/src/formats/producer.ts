import type {Descriptor} from '@airgap-mirror/oci-client/model'
import {isAbsentContent} from '../contents/absent-content.js'
import type {FileTree} from '../files/file-tree.js'
import {annotationKeys} from '../names/recorded-name.js'
import type {DockerItem} from './docker-items.js'

/**
 * The tool that wrote a bundle, as far as its content shows. `own`: this program. `docker`: version 25 or later, with the classic
 * store. `containerd`: also nerdctl, and docker with the containerd store. `go-containerregistry`: crane, ko, kaniko.
 */
export type Producer =
  | 'own'
  | 'hauler'
  | 'zarf'
  | 'docker'
  | 'docker-before-25'
  | 'containerd'
  | 'buildkit'
  | 'containers-image'
  | 'go-containerregistry'
  | 'imgpkg'

export interface LayoutTraces {
  /** All of index.json. */
  readonly descriptors: readonly Descriptor[]
  /** The images in docker's manifest.json; undefined if there is none. */
  readonly dockerItems: readonly DockerItem[] | undefined
  readonly zarf: boolean
}

/** Returns the producer of an OCI layout. Many tools leave the same traces, so the result is undefined rather than a guess. */
export function layoutProducer({descriptors, dockerItems, zarf}: LayoutTraces): Producer | undefined {
  if (zarf) return 'zarf'
  const annotations = descriptors.map((descriptor) => descriptor.annotations ?? {})
  const has = (key: string): boolean => annotations.some((each) => each[key] !== undefined)
  const isHauled = annotations.some((each) => each[annotationKeys.haulerKind]?.startsWith('dev.hauler/'))
  if (isHauled || has(annotationKeys.haulerName)) return 'hauler'
  if (descriptors.some(isAbsentContent)) return 'own'
  const sources = dockerItems?.flatMap(({layerSources}) => [...layerSources.values()]) ?? []
  // regctl fills LayerSources too, with the compressed layers of the registry.
  if (sources.length > 0)
    return sources.some(({mediaType}) => mediaType === PLAIN_LAYER) ? 'docker' : undefined
  const named = annotations.filter((each) => each[annotationKeys.containerdName] !== undefined)
  if (named.length > 0) {
    // Others write only the tag into the annotation of the image-spec.
    if (named.every((each) => each[annotationKeys.containerdName] === each[annotationKeys.refName])) {
      return 'own'
    }
    return has(CREATED) && dockerItems === undefined ? 'buildkit' : 'containerd'
  }
  // skopeo, podman, crane, oras and umoci leave the same traces.
  return undefined
}

const PLAIN_LAYER = 'application/vnd.oci.image.layer.v1.tar'
const CREATED = 'org.opencontainers.image.created'

/** Returns the producer of a docker-archive. */
export function archiveProducer(
  items: readonly DockerItem[],
  {tree}: {readonly tree: FileTree},
): Producer | undefined {
  const [item] = items
  if (item === undefined) return undefined
  if (item.config.startsWith('sha256:')) return 'go-containerregistry'
  const [layer = ''] = item.layers
  if (/^[0-9a-f]{64}\.tar$/.test(layer)) {
    const isLinked = tree.entries.some(({path, kind}) => kind === 'link' && path.endsWith('/layer.tar'))
    return isLinked ? 'containers-image' : undefined
  }
  if (!/^[0-9a-f]{64}\/layer\.tar$/.test(layer)) return undefined
  // The legacy form of crane is the same but for the directories.
  const directory = layer.slice(0, layer.indexOf('/'))
  const hasDirectory = tree.entries.some(({path, kind}) => kind === 'directory' && path === directory)
  return hasDirectory ? 'docker-before-25' : undefined
}
