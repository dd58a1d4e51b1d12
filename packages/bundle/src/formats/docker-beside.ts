import {type Descriptor} from '@airgap-mirror/oci-client/model'
import {blobPath} from '../contents/blob-path.js'
import {peekManifest} from '../contents/read-manifest.js'
import {readDockerItems} from './docker-archive.js'
import {isDockerManifest, parseDockerItems} from './docker-items.js'
import type {FormatContent, TreeRoot} from './format.js'
import type {ReadContext} from './read-context.js'

/**
 * Returns the images of a docker manifest.json that the layout beside it does not have, as `tar -A` of a docker-archive
 * and a layout leaves them; undefined if there are none.
 * @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED (manifest.json)
 */
export async function dockerBeside(
  root: TreeRoot,
  {listed, context}: {readonly listed: readonly Descriptor[]; readonly context: ReadContext},
): Promise<FormatContent | undefined> {
  const found = await root.manifestJson()
  if (found === undefined || !isDockerManifest(found.json)) return undefined
  const items = parseDockerItems(found.json, found.file.name)
  const others = items.filter(({config}) => !config.startsWith('blobs/'))
  // The config of an unreadable manifest is not known, and the image itself reports the error.
  const known = others.length < items.length ? await configsUnder(listed, context) : undefined
  if (known?.isWhole === true)
    others.push(...items.filter(({config}) => config.startsWith('blobs/') && !known.paths.has(config)))
  return others.length === 0 ? undefined : readDockerItems(root.tree, others, context)
}

async function configsUnder(
  listed: readonly Descriptor[],
  context: ReadContext,
): Promise<{readonly paths: ReadonlySet<string>; readonly isWhole: boolean}> {
  const paths = new Set<string>()
  let isWhole = true
  const queue = listed.map((descriptor) => ({descriptor, isChild: false}))
  const seen = new Set<string>()
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const {descriptor, isChild} = next
    if (seen.has(descriptor.digest)) continue
    seen.add(descriptor.digest)
    const manifest = await peekManifest(context.table, descriptor, context)
    if (manifest?.kind === 'image') paths.add(blobPath(manifest.config))
    else if (manifest !== undefined)
      queue.push(...manifest.children.map((child) => ({descriptor: child, isChild: true})))
    // A sparse index lacks children, and docker's list does not name them.
    else if (!isChild) isWhole = false
  }
  return {paths, isWhole}
}
