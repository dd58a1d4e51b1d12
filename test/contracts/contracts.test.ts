import {createReadStream} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {
  openBundle,
  openBundleSink,
  openFileSink,
  type BundleCodec,
  type FileSink,
  type OpenBundleSinkOptions,
} from '@airgap-mirror/bundle'
import {openRegistry, openRegistrySource} from '@airgap-mirror/oci-client'
import {parseReference, type ImageSource, type Reference} from '@airgap-mirror/oci-client/model'
import {
  addImage,
  compress,
  dockerArchive,
  makeTempDir,
  MemorySource,
  ociLayout,
  skopeoDirectory,
  startMirrorServer,
  tarBytes,
  writeDirectory,
  writeTar,
  type Compression,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {afterAll} from 'vitest'
import {imageSinkContract, type MadeSink} from './image-sink.js'
import {image, imageSourceContract, pendingSourceContract} from './image-source.js'
import {putImage} from './put-image.js'

const directories: TempDir[] = []
afterAll(async () => {
  for (const directory of directories) await directory.remove()
})

/** Returns what opens a bundle that the first call writes. */
function bundleOf(
  write: (path: string) => Promise<unknown>,
  open: (path: string) => Promise<ImageSource> = openBundle,
): () => Promise<ImageSource> {
  let written: Promise<string> | undefined
  const inDirectory = async (): Promise<string> => {
    const directory = await makeTempDir()
    directories.push(directory)
    const path = join(directory.path, 'bundle')
    await write(path)
    return path
  }
  return async () => open(await (written ??= inDirectory()))
}

function closingToo(source: ImageSource, also: () => Promise<unknown>): ImageSource {
  const close = source[Symbol.asyncDispose].bind(source)
  return Object.assign(source, {
    [Symbol.asyncDispose]: async () => {
      await close()
      await also()
    },
  })
}

const packed: Readonly<Record<string, Compression>> = {
  'a plain archive': {type: 'none'},
  'an archive of xz blocks': {type: 'xz', blockSize: 4096},
  'an archive of gzip': {type: 'gzip'},
  'an archive of zstd': {type: 'zstd'},
}
for (const [name, compression] of Object.entries(packed)) {
  imageSourceContract(
    name,
    bundleOf(async (path) =>
      writeFile(path, await compress(await tarBytes(ociLayout([{image}])), compression)),
    ),
  )
}
imageSourceContract(
  'a layout in a directory',
  bundleOf((path) => writeDirectory(path, ociLayout([{image}]))),
)
imageSourceContract(
  'a directory of skopeo',
  bundleOf((path) => writeDirectory(path, skopeoDirectory(image))),
)
pendingSourceContract(
  'a docker-archive',
  bundleOf((path) => writeTar(path, dockerArchive([{image, tags: ['team/app:v1']}]))),
)
for (const codec of ['plain', 'xz'] as const) {
  imageSourceContract(
    `a saved bundle in ${codec}`,
    bundleOf((path) => save(path, codec)),
  )
  imageSourceContract(
    `a saved bundle in ${codec} on standard input, read in one pass`,
    bundleOf(
      (path) => save(path, codec),
      (path) => openBundle('-', {stdin: createReadStream(path), onePass: true, scratch: 'never'}),
    ),
  )
}
imageSourceContract(
  'a saved bundle in volumes',
  bundleOf(
    (path) => save(path, 'plain', {maxSize: 30_000}),
    (path) => openBundle(`${path}.001`),
  ),
)
imageSourceContract(
  'an archive in an archive',
  bundleOf(async (path) => {
    const inner = await compress(await tarBytes(ociLayout([{image}])), {type: 'gzip'})
    await writeTar(path, [{path: 'images/inner.tar.gz', bytes: inner}])
  }),
)
imageSourceContract(
  'a layout on standard input, kept in scratch',
  bundleOf(
    (path) => writeTar(path, ociLayout([{image}])),
    (path) => openBundle('-', {stdin: createReadStream(path), scratch: {directory: dirname(path)}}),
  ),
)
imageSourceContract('memory', async () => {
  const source = new MemorySource()
  source.hold(image, 'registry.example/team/app:v1')
  return source
})
imageSourceContract('a registry', async () => {
  const registry = await startRegistry()
  await addImage(registry, image, {repository: 'team/app', tag: 'v1'})
  return closingToo(fromRegistry(registry.host), () => registry.close())
})

async function save(
  path: string,
  codec: BundleCodec,
  options: Partial<OpenBundleSinkOptions> = {},
): Promise<void> {
  await using sink = await bundleSink(path, codec, options)
  await putImage(sink, image, {registry: 'registry.example', repository: 'team/app', tag: 'v1'})
  await sink.finish()
}

function bundleSink(
  path: string,
  codec: BundleCodec,
  options: Partial<OpenBundleSinkOptions> = {},
): Promise<FileSink> {
  const nameOf = (target: Reference): Reference | undefined => (target.tag === undefined ? undefined : target)
  return openBundleSink({kind: 'file', path}, {codec, threads: 1, nameOf, scratch: dirname(path), ...options})
}

function fromRegistry(host: string): ImageSource {
  return openRegistrySource({
    references: [parseReference(`${host}/team/app:v1`)],
    registryFor: (registry) => ({registry, side: 'source', plainHttp: true}),
    referrers: false,
  })
}

async function fileSink(open: (path: string) => Promise<FileSink>): Promise<MadeSink> {
  const directory = await makeTempDir()
  const path = join(directory.path, 'out')
  const sink = await open(path)
  return {
    sink,
    registry: 'target',
    written: async () => {
      await sink.finish()
      return openBundle(path)
    },
    [Symbol.asyncDispose]: async () => {
      await sink[Symbol.asyncDispose]()
      await directory.remove()
    },
  }
}
function annotations(): Readonly<Record<string, string>> {
  return {}
}
function repoTags(): readonly string[] {
  return ['team/app:v1']
}
imageSinkContract('a layout in a directory', {givesBack: 'digests'}, () =>
  fileSink((path) => openFileSink({format: 'oci', path, annotations})),
)
imageSinkContract('an archive of a layout', {givesBack: 'digests'}, () =>
  fileSink((path) => openFileSink({format: 'oci-archive', path, annotations})),
)
imageSinkContract('a directory of skopeo', {givesBack: 'digests'}, () =>
  fileSink((path) => openFileSink({format: 'dir', path})),
)
imageSinkContract('a docker-archive', {givesBack: 'nothing', unpacks: true}, () =>
  fileSink((path) => openFileSink({format: 'docker-archive', path, repoTags})),
)
imageSinkContract('a bundle that is saved', {givesBack: 'nothing'}, () =>
  fileSink((path) => bundleSink(path, 'plain')),
)
imageSinkContract('a registry', {givesBack: 'tags'}, async () => {
  const server = await startRegistry({strict: true})
  const sink = openRegistry({registry: server.host, side: 'target', plainHttp: true})
  return {
    sink,
    registry: server.host,
    written: async () => fromRegistry(server.host),
    [Symbol.asyncDispose]: async () => {
      await sink[Symbol.asyncDispose]()
      await server.close()
    },
  }
})
imageSinkContract('mirror serve --writable', {givesBack: 'tags'}, async () => {
  const directory = await makeTempDir()
  const server = await startMirrorServer(['--no-state', '--writable', join(directory.path, 'pushed')])
  const sink = openRegistry({registry: server.host, side: 'target', plainHttp: true})
  return {
    sink,
    registry: server.host,
    written: async () => fromRegistry(server.host),
    [Symbol.asyncDispose]: async () => {
      await sink[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await directory.remove()
    },
  }
})
