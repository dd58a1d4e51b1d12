import {mkdtemp} from 'node:fs/promises'
import {join} from 'node:path'
import {parseReference, type Reference} from '@airgap-mirror/oci-client/model'
import type {NamedImage} from '@airgap-mirror/test/kit'
import {
  openBundleSink,
  type BundleOutput,
  type OpenBundleSinkOptions,
  type WrittenBundle,
} from '#src/index.js'
import {openLayout, transfer} from './write-kit.js'

/** An image and its full name; a referrer has no name. */
export interface SavedImage extends Pick<NamedImage, 'image'> {
  readonly name?: string
}

export interface SaveOptions extends Partial<OpenBundleSinkOptions> {
  /** The directory of the source's layout. */
  readonly directory: string
  /** True to end before the bundle is written. */
  readonly unfinished?: boolean
}

/** Writes images into a bundle as `save` does. */
export async function save(
  output: BundleOutput,
  images: readonly SavedImage[],
  {directory, unfinished = false, ...options}: SaveOptions,
): Promise<WrittenBundle | undefined> {
  const scratch = await mkdtemp(join(directory, 'save-'))
  await using sink = await openBundleSink(output, {codec: 'plain', threads: 2, nameOf, scratch, ...options})
  for (const {image, name} of images) {
    const from = await mkdtemp(join(directory, 'source-'))
    await using source = await openLayout(from, [{image}])
    const [found] = await source.images()
    if (found === undefined) throw new Error('no image in the layout')
    const {digest} = image.root.descriptor
    const to: Reference = name === undefined ? {registry: 'r', repository: 'r', digest} : parseReference(name)
    await transfer(found, {source, sink, to})
  }
  if (!unfinished) await sink.finish()
  return sink.written
}

function nameOf({registry, repository, tag}: Reference): Reference | undefined {
  return tag === undefined ? undefined : {registry, repository, tag}
}
