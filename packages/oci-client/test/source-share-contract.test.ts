import {imageSourceContract, image} from '../../../test/contracts/image-source.js'
import {MemorySource} from '../../../test/kit/index.js'
import type {ImageSource} from '#src/model/index.js'
import {shareBlob} from '#src/source/share-blob.js'

/** The last of several shares of each blob, of which the others never begin. */
function sharing(source: ImageSource): ImageSource {
  return {
    access: source.access,
    images: (options) => source.images(options),
    manifest: (descriptor, options) => source.manifest(descriptor, options),
    has: (content) => source.has(content),
    blob: (content) => {
      const blob = source.blob(content)
      return shareBlob(blob, 3).at(-1) ?? blob
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}

imageSourceContract('whose blobs are shared by several readers', async () => {
  const source = new MemorySource()
  source.hold(image, 'registry.example/team/app:v1')
  return sharing(source)
})
