import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {openBundle, openFileSink} from '@airgap-mirror/bundle'
import {openRegistry, openRegistrySource} from '@airgap-mirror/oci-client'
import {parseReference, type ImageSource} from '@airgap-mirror/oci-client/model'
import {
  addImage,
  compress,
  makeTempDir,
  ociLayout,
  skopeoDirectory,
  tarBytes,
  writeDirectory,
  type Compression,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {imageSinkContract, type MadeSink} from './image-sink.js'
import {imageSourceContract} from './image-source.js'

/** Opens a bundle in a directory of its own, which goes with it. */
async function bundleOf(write: (path: string) => Promise<unknown>): Promise<ImageSource> {
  const directory = await makeTempDir()
  const path = join(directory.path, 'bundle')
  await write(path)
  const source = await openBundle(path)
  const close = source[Symbol.asyncDispose].bind(source)
  return Object.assign(source, {
    [Symbol.asyncDispose]: async () => {
      await close()
      await directory.remove()
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
  imageSourceContract(name, (image) =>
    bundleOf(async (path) =>
      writeFile(path, await compress(await tarBytes(ociLayout([{image}])), compression)),
    ),
  )
}
imageSourceContract('a layout in a directory', (image) =>
  bundleOf((path) => writeDirectory(path, ociLayout([{image}]))),
)
imageSourceContract('a directory of skopeo', (image) =>
  bundleOf((path) => writeDirectory(path, skopeoDirectory(image))),
)
imageSourceContract('a registry', async (image: TestImage) => {
  const registry = await startRegistry()
  await addImage(registry, image, {repository: 'team/app', tag: 'v1'})
  const source = openRegistrySource({
    references: [parseReference(`${registry.host}/team/app:v1`)],
    registryFor: (host) => ({registry: host, side: 'source', plainHttp: true}),
    referrers: false,
  })
  return {
    ...source,
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]()
      await registry.close()
    },
  }
})

async function fileSink(format: 'oci' | 'oci-archive'): Promise<MadeSink> {
  const directory = await makeTempDir()
  const path = join(directory.path, 'out')
  const sink = await openFileSink({format, path, annotations: () => ({})})
  return {
    sink,
    registry: 'target',
    namesAtEnd: true,
    [Symbol.asyncDispose]: async () => {
      await sink[Symbol.asyncDispose]()
      await directory.remove()
    },
  }
}
imageSinkContract('a layout in a directory', () => fileSink('oci'))
imageSinkContract('an archive of a layout', () => fileSink('oci-archive'))
imageSinkContract('a registry', async () => {
  const server = await startRegistry({strict: true})
  const sink = openRegistry({registry: server.host, side: 'target', plainHttp: true})
  return {
    sink,
    registry: server.host,
    namesAtEnd: false,
    [Symbol.asyncDispose]: async () => {
      await sink[Symbol.asyncDispose]()
      await server.close()
    },
  }
})
