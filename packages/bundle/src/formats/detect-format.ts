import {
  isJsonObject,
  limits,
  MirrorError,
  type JsonObject,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import {isLink, whyMissing, type FileTree} from '../files/file-tree.js'
import {readDockerArchive} from './docker-archive.js'
import {isDockerManifest, parseDockerItems} from './docker-items.js'
import {isImgpkgManifest, readImgpkg} from './imgpkg.js'
import {readOciLayout} from './oci-layout.js'
import type {ReadContext} from './read-context.js'
import {readJson} from '../contents/read-json.js'
import {readSkopeoDir} from './skopeo-dir.js'

export interface Format {
  readonly name: 'oci-layout' | 'docker-archive' | 'imgpkg' | 'skopeo-dir'
  read(context: ReadContext): Promise<readonly SourceImage[]>
}

/** What a tree's manifest.json is where it is nothing that is known. */
export interface UnknownManifest {
  readonly name: 'unknown-manifest'
  readonly json: unknown
}

/**
 * The format of the images at the root of a tree; undefined where there are none at its root. An OCI layout wins over
 * docker's manifest.json beside it: it has the digests.
 * @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED (manifest.json), SOURCE_CORRUPT (links)
 */
export async function detectFormat(
  tree: FileTree,
  {signal}: ReadOptions = {},
): Promise<Format | UnknownManifest | undefined> {
  refuseDeadLinks(tree)
  if (tree.find('index.json') !== undefined && isLayout(tree)) {
    return {name: 'oci-layout', read: (context) => readOciLayout(tree, context)}
  }
  const file = tree.find('manifest.json')
  if (file === undefined) return undefined
  const {json} = await readJson(file, {limit: limits.bundleIndexBytes, signal})
  if (isDockerManifest(json)) {
    const items = parseDockerItems(json, file.name)
    return {name: 'docker-archive', read: (context) => readDockerArchive(tree, items, context)}
  }
  if (isImgpkgManifest(json)) return imgpkg(tree, json)
  if (isJsonObject(json) && 'schemaVersion' in json) {
    return {name: 'skopeo-dir', read: (context) => readSkopeoDir(tree, context)}
  }
  return {name: 'unknown-manifest', json}
}

// hauler leaves oci-layout out on request.
function isLayout(tree: FileTree): boolean {
  return tree.find('oci-layout') !== undefined || tree.entries.some(({path}) => path.startsWith('blobs/'))
}

function imgpkg(tree: FileTree, items: readonly JsonObject[]): Format {
  return {
    name: 'imgpkg',
    read: async (context) => readImgpkg(tree, items, context),
  }
}

const MARKERS = ['oci-layout', 'index.json', 'manifest.json'] as const

function refuseDeadLinks(tree: FileTree): void {
  for (const path of MARKERS) {
    if (tree.find(path) === undefined && isLink(tree, path)) {
      throw new MirrorError('SOURCE_CORRUPT', `${tree.name}: ${path} ${whyMissing(tree, path)}`, {
        side: 'source',
        advice: {kind: 'make-again'},
      })
    }
  }
}
