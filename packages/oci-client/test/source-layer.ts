import {createServer, type RequestListener} from 'node:http'
import type {RegistrySource} from '#src/index.js'
import {digestOf, mediaTypes, type BlobSource, type Descriptor} from '#src/model/index.js'
import {makeManifest} from '../../../test/kit/index.js'
import type {TestRegistry} from '../../../test/registry/index.js'
import {listen} from './http-loopback.js'
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

/** A server that says what it likes of one layer. */
export async function serveLayer(
  layer: Descriptor,
  answerBlob: RequestListener,
): Promise<{readonly blob: BlobSource; readonly close: () => Promise<void>}> {
  const {manifest} = imageOf(layer)
  const server = await listen(
    createServer((request, response) => {
      if (request.url?.includes('/blobs/') === true) return answerBlob(request, response)
      const headers = {'content-type': mediaTypes.ociManifest, 'content-length': manifest.length}
      response.writeHead(200, {...headers, 'docker-content-digest': digestOf(manifest)})
      response.end(request.method === 'HEAD' ? undefined : manifest)
    }),
  )
  const source = sourceOf([`127.0.0.1:${server.port}/a:v1`])
  const close = async (): Promise<void> => {
    await source[Symbol.asyncDispose]()
    await server.close()
  }
  return {blob: await layerIn(source), close}
}
