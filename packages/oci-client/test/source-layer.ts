import type {RegistrySource} from '#src/index.js'
import {digestOf, mediaTypes, type BlobSource, type Descriptor} from '#src/model/index.js'
import {makeManifest, startScripted, type Answer, type Script} from '../../../test/kit/index.js'
import type {TestRegistry} from '../../../test/registry/index.js'
import {rootOf, sourceOf} from './source-kit.js'

export function layerOf(bytes: Buffer): Descriptor {
  return {
    mediaType: mediaTypes.ociLayerGzip,
    digest: digestOf(bytes),
    size: bytes.length,
  }
}

/** An image of one layer, as its registry has it. */
function imageOf(layer: Descriptor): {readonly config: Buffer; readonly manifest: Buffer} {
  const config = Buffer.from('{"architecture":"amd64","os":"linux"}')
  const described = {mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length}
  const mediaType = mediaTypes.ociManifest
  const {bytes} = makeManifest({schemaVersion: 2, mediaType, config: described, layers: [layer]}, {mediaType})
  return {config, manifest: Buffer.from(bytes)}
}

export async function addLayer(registry: TestRegistry, bytes: Buffer): Promise<void> {
  const {config, manifest} = imageOf(layerOf(bytes))
  for (const blob of [config, bytes]) await registry.addBlob('a', blob)
  registry.addManifest({repository: 'a', reference: 'v1', mediaType: mediaTypes.ociManifest, bytes: manifest})
}

export async function layerIn(source: RegistrySource): Promise<BlobSource> {
  const [image] = await source.images()
  const manifest = image && (await source.manifest(rootOf(image)))
  const [layer] = manifest?.kind === 'image' ? manifest.layers : []
  if (layer === undefined) throw new Error('no layer')
  return source.blob(layer)
}

/** Opens the layer of an image whose registry says what it likes of it. */
export async function serveLayer(
  layer: Descriptor,
  answerBlob: Answer | Script,
): Promise<AsyncDisposable & {readonly blob: BlobSource}> {
  const {manifest} = imageOf(layer)
  const server = await startScripted({
    '*/blobs/*': answerBlob,
    '*': {
      headers: {'content-type': mediaTypes.ociManifest, 'docker-content-digest': digestOf(manifest)},
      body: manifest,
    },
  })
  const source = sourceOf([`${server.host}/a:v1`])
  return {
    blob: await layerIn(source),
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]()
      await server.close()
    },
  }
}
