import {afterEach} from 'vitest'
import {openRegistry, openRegistrySource} from '#src/index.js'
import type {Registry, RegistryOptions, RegistrySource, RegistrySourceOptions} from '#src/index.js'
import {
  isForeignLayerType,
  parseReference,
  type Descriptor,
  type Reference,
  type SourceImage,
} from '#src/model/index.js'
import {
  startRegistry,
  type RegistryOptions as ServedOptions,
  type TestRegistry,
} from '../../../test/registry/index.js'

export interface OpenOptions extends Partial<Omit<RegistrySourceOptions, 'references'>> {
  /** Options of every registry; waits between attempts are cut to next to nothing. */
  readonly connect?: Partial<RegistryOptions>
}

/** A source for names as people write them. */
export function sourceOf(
  names: readonly string[],
  {connect = {}, ...options}: OpenOptions = {},
): RegistrySource {
  return openRegistrySource({
    references: names.map(parseReference),
    registryFor: (registry) => ({registry, side: 'source', plainHttp: true, retryMaxWait: 20, ...connect}),
    referrers: true,
    ...options,
  })
}

export function rootOf({root}: SourceImage): Descriptor {
  if ('manifest' in root) return root.manifest
  throw 'error' in root ? root.error : new Error('a pending image')
}

export function errorOf({root}: SourceImage): {readonly code: string; readonly message: string} {
  if ('error' in root) return root.error
  throw new Error('that image can be had')
}

/** Everything below a manifest, then the manifest under its tag or digest. */
export async function copyImage(
  source: RegistrySource,
  sink: Registry,
  image: {readonly root: Descriptor; readonly target: Reference},
): Promise<void> {
  const manifest = await source.manifest(image.root)
  const {repository} = image.target
  if (manifest.kind === 'index') {
    for (const child of manifest.children) {
      const target = {registry: image.target.registry, repository, digest: child.digest}
      await copyImage(source, sink, {root: child, target})
    }
  } else {
    for (const blob of [manifest.config, ...manifest.layers]) {
      if (!isForeignLayerType(blob.mediaType)) await sink.putBlob(repository, source.blob(blob))
    }
  }
  await sink.putManifest(image.target, manifest)
}

/** Whatever a test opens is closed after it, the last first. */
export function useSources(): {
  readonly serve: (options?: ServedOptions) => Promise<TestRegistry>
  readonly open: (names: readonly string[], options?: OpenOptions) => RegistrySource
  readonly sink: (host: string) => Registry
} {
  const kept: AsyncDisposable[] = []
  const keep = <Each extends AsyncDisposable>(each: Each): Each => {
    kept.push(each)
    return each
  }
  afterEach(async () => {
    for (const each of kept.splice(0).toReversed()) await each[Symbol.asyncDispose]()
  })
  return {
    serve: async (options = {}) => keep(await startRegistry(options)),
    open: (names, options) => keep(sourceOf(names, options)),
    sink: (registry) => keep(openRegistry({registry, side: 'target', plainHttp: true, retryMaxWait: 20})),
  }
}

export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}
