import {openBundle} from '@airgap-mirror/bundle'
import {openRegistrySource} from '@airgap-mirror/oci-client'
import type {ImageSource, ReadUsage, RequestUsage, SourceImage} from '@airgap-mirror/oci-client/model'
import {chooseImage} from '../copy/choose-image.js'
import type {CopySettings} from '../copy/copy-settings.js'
import type {FilePlace, RegistryPlace} from '../copy/place.js'
import type {State} from '../state/open-state.js'
import type {Run} from './run-command.js'
import {sourceRegistries} from './source-registries.js'

/** Where the image of a copy comes from, open. */
export interface CopySource extends AsyncDisposable {
  readonly source: ImageSource
  readonly image: SourceImage
  /** What may speak of an image of this source. For a registry, it asks. */
  referrersOf(image: SourceImage): Promise<readonly SourceImage[]>
  /** Requests sent and sent again so far; nothing for files. */
  readonly requests: RequestUsage
  /** What reading has used so far; nothing for registries. */
  readonly read: ReadUsage
}

export interface OpenSideOptions {
  readonly run: Run
  readonly state: State | undefined
}

/** @throws {MirrorError} those of either kind of source; where the image cannot be had, why */
export function openCopySource(settings: CopySettings, options: OpenSideOptions): Promise<CopySource> {
  return settings.from.transport === 'docker'
    ? fromRegistry(settings.from, {settings, ...options})
    : fromFile(settings.from, {settings, ...options})
}

type Opening = OpenSideOptions & {readonly settings: CopySettings}

async function fromRegistry({reference}: RegistryPlace, {settings, run}: Opening): Promise<CopySource> {
  const {mirrors, output} = settings
  const registries = await sourceRegistries([reference], {settings: settings.source, mirrors, output, run})
  const source = openRegistrySource({
    references: [reference],
    registryFor: (host) => {
      const known = registries.get(host)
      if (known === undefined)
        throw new Error(`${host} was not among the registries of ${reference.repository}`)
      return known
    },
    referrers: settings.referrers,
    ...(mirrors === undefined
      ? {}
      : {mirrors: (name) => mirrors.mirrorsFor(name).map((place) => place.reference)}),
  })
  const signal = run.interruption.drain
  return closedOnError(source, async () => {
    const [image] = await source.images({signal})
    if (image === undefined) throw new Error('a reference was asked for and none came back')
    if ('error' in image.root) throw image.root.error
    return {
      source,
      image,
      referrersOf: (one) => source.referrersOf(one, {signal}),
      requests: source.usage,
      read: {decoded: 0, scratchPeak: 0},
      [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    }
  })
}

async function fromFile(place: FilePlace, {settings, run, state}: Opening): Promise<CopySource> {
  const source = await openBundle(place.path, {
    layerCompression: settings.layerCompression,
    scratch: settings.scratch,
    stdin: process.stdin,
    signal: run.interruption.drain,
    indexCache: state?.indexes,
    onNote: run.note,
  })
  return closedOnError(source, async () => {
    const {image, referrers} = chooseImage(await source.images(), place)
    return {
      source,
      image,
      referrersOf: async () => (settings.referrers ? referrers : []),
      requests: {requests: 0, retries: 0},
      read: source.usage,
      [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    }
  })
}

async function closedOnError(source: AsyncDisposable, work: () => Promise<CopySource>): Promise<CopySource> {
  try {
    return await work()
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}
