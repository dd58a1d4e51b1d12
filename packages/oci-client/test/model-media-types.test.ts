import {expect, test} from 'vitest'
import {isBlobType, mediaTypes} from '#src/model/index.js'

test.each([
  ['application/spdx+json', true],
  ['application/vnd.buildkit.cacheconfig.v0', true],
  ['application/vnd.acme.manifest+json', true],
  ['text/x-index', true],
  ['application/octet-stream', true],
  [mediaTypes.ociLayerGzip, true],
  [mediaTypes.ociConfig, true],
  [mediaTypes.ociManifest, false],
  [mediaTypes.ociIndex, false],
  [mediaTypes.dockerList, false],
  ['application/vnd.docker.distribution.manifest.v1+prettyjws', false],
  ['application/vnd.oci.artifact.manifest.v1+json', false],
  ['application/vnd.cncf.oras.artifact.manifest.v1+json', false],
])('a child of the type %s is a blob: %s', (mediaType, isBlob) => {
  expect(isBlobType(mediaType)).toBe(isBlob)
})
