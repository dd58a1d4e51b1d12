import type {Descriptor, ImageSource, SourceImage} from '@airgap-mirror/oci-client/model'
import {chooseImage} from './choose-image.js'
import type {CopySettings} from './copy-settings.js'
import type {FilePlace, RegistryPlace} from './place.js'
import {openBundleSource} from '../../run/open-bundle-source.js'
import {openSource} from '../../run/open-source.js'
import type {Run} from '../../run/run.js'

/** The source of a copy, open until the run ends. */
export interface CopySource {
  readonly source: ImageSource
  readonly image: SourceImage
  /** The blobs that a delta bundle leaves to the target. */
  readonly leftOut: readonly Descriptor[]
  /** Resolves to candidates for the image's referrers. Asks a registry; a bundle already knows them. */
  referrersOf(image: SourceImage): Promise<readonly SourceImage[]>
}

/** @throws {MirrorError} the errors of either kind of source, or the reason why the image cannot be read */
export function openCopySource(settings: CopySettings, run: Run): Promise<CopySource> {
  return settings.from.transport === 'docker'
    ? fromRegistry(settings.from, {settings, run})
    : fromFile(settings.from, {settings, run})
}

interface Opening {
  readonly settings: CopySettings
  readonly run: Run
}

async function fromRegistry({reference}: RegistryPlace, {settings, run}: Opening): Promise<CopySource> {
  const {sourceFlags, mirrors, referrers} = settings
  const source = await openSource(run, {repositories: [reference], settings: sourceFlags, mirrors, referrers})
  const {soon: signal} = run.stop
  const [image] = await source.imagesAt([reference], {signal})
  if (image === undefined) throw new Error('a reference was asked for and none came back')
  if ('error' in image.root) throw image.root.error
  return {source, image, leftOut: [], referrersOf: (one) => source.referrersOf(one, {signal})}
}

async function fromFile(place: FilePlace, {settings, run}: Opening): Promise<CopySource> {
  const {layerCompression, scratch} = settings
  const source = await openBundleSource(run, {path: place.path, layerCompression, scratch})
  const {image, referrers} = chooseImage(await source.images(), place)
  const {leftOut} = source.description
  return {source, image, leftOut, referrersOf: async () => (settings.referrers ? referrers : [])}
}
