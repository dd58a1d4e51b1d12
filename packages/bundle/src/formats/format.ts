import {limits, type Descriptor, type SourceImage} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import {readJson} from '../contents/read-json.js'
import type {FileTree, StoredFile} from '../files/file-tree.js'
import type {Producer} from './producer.js'
import type {ReadContext} from './read-context.js'

/** A tree that may have images at its root. */
export interface TreeRoot {
  readonly tree: FileTree
  /**
   * The `manifest.json` at the root, read once; undefined if there is none.
   * @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED
   */
  manifestJson(): Promise<ManifestJson | undefined>
}

interface ManifestJson {
  readonly file: StoredFile
  readonly json: unknown
  readonly bytes: Uint8Array
}

/** The images at the root of a tree. */
export interface FormatContent {
  readonly images: readonly SourceImage[]
  /** Undefined if several tools may have written it. */
  readonly producer?: Producer
  /** Returns true if a file of the tree belongs to the format; other files may hold images of their own. */
  uses(path: string): boolean
  /** The descriptors that lead to its content, for a format that keeps blobs by digest; undefined for others. */
  readonly listed?: readonly Descriptor[]
}

/** A form in which images are stored at the root of a tree. */
export interface Format {
  readonly name: 'oci-layout' | 'docker-archive' | 'imgpkg' | 'skopeo-dir'
  /** @throws {MirrorError} errors of the files that identify the format */
  detect(root: TreeRoot): Promise<boolean>
  read(root: TreeRoot, context: ReadContext): Promise<FormatContent>
}

export function treeRoot(tree: FileTree, {signal}: ReadOptions = {}): TreeRoot {
  let reading: Promise<ManifestJson | undefined> | undefined
  const read = async (): Promise<ManifestJson | undefined> => {
    const file = tree.find('manifest.json')
    if (file === undefined) return undefined
    return {file, ...(await readJson(file, {limit: limits.bundleIndexBytes, signal}))}
  }
  return {tree, manifestJson: () => (reading ??= read())}
}
