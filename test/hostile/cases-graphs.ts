import {gzipSync} from 'node:zlib'
import {digestOf, hexOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import type {HostileCase} from './hostile-case.js'
import {
  blob,
  blobMember,
  blobPath,
  descriptor,
  image,
  imageMembers,
  index,
  indexJson,
  layoutOf,
  LAYOUT,
  named,
  type RawBlob,
} from './raw-image.js'
import {pax, tar, type RawMember} from './raw-tar.js'

const one = image('good')
const WHOLE = 'app:v1 whole'
const good = layoutOf(one, 'app:v1')
function child(more: object = {}) {
  return descriptor(mediaTypes.ociManifest, one.manifest, more)
}
function asIndex(of: RawBlob, more: object = {}) {
  return descriptor(mediaTypes.ociIndex, of, more)
}
const app = named('app:v1')

/** A layout of the good image and these blobs, whose index.json is this list. */
function layout(
  roots: readonly object[],
  blobs: readonly RawBlob[],
  more: readonly RawMember[] = [],
): Buffer {
  return tar([...imageMembers(one), ...blobs.map(blobMember), ...more, indexJson(roots), LAYOUT])
}

const inner = index([child()])

/** An index of an index of … so many levels deep. */
export function tower(levels: number): Buffer {
  const blobs = [index([child()])]
  while (blobs.length < levels) blobs.push(index([asIndex(blobs.at(-1) as RawBlob)]))
  return layout([asIndex(blobs.at(-1) as RawBlob, app)], blobs)
}

/** Seven levels of 30 indexes, each of which names all of the level below: 30^7 paths to the image. */
function web(): Buffer {
  const blobs: RawBlob[] = []
  let level: readonly object[] = [child()]
  for (let depth = 0; depth < 7; depth += 1) {
    const next = Array.from({length: 30}, (_, at) => index(level, {annotations: {at: `${depth}/${at}`}}))
    blobs.push(...next)
    level = next.map((each) => asIndex(each))
  }
  const top = index(level)
  return layout([asIndex(top, app)], [...blobs, top])
}

/** Digests that lie about content, and content that lies about other content. */
export const digestCases: readonly HostileCase[] = [
  {
    name: 'a layer that is not its digest',
    made: 'other bytes of the same length',
    make: () => tar([...good, {path: blobPath(one.layer.digest), content: Buffer.alloc(one.layer.size, 1)}]),
    expected: 'app:v1 DIGEST_MISMATCH',
  },
  {
    name: 'a config that is not its digest',
    made: 'other bytes of the same length',
    make: () =>
      tar([...good, {path: blobPath(one.config.digest), content: Buffer.alloc(one.config.size, 1)}]),
    expected: 'app:v1 DIGEST_MISMATCH',
  },
  {
    name: 'a manifest that is another image',
    made: 'the manifest of evil under the digest of good',
    make: () => {
      const evil = image('evil')
      return tar([
        ...good,
        ...imageMembers(evil),
        {path: blobPath(one.manifest.digest), content: evil.manifest.bytes},
      ])
    },
    expected: 'app:v1 DIGEST_MISMATCH',
  },
  {
    name: 'a manifest with a lying size',
    made: 'index.json says one byte more',
    make: () => layout([{...child(app), size: one.manifest.size + 1}], []),
    expected: 'app:v1 DIGEST_MISMATCH',
  },
  {
    name: 'two sizes for one manifest',
    made: 'a:v1 with the true size, b:v1 with another',
    make: () => layout([child(named('a:v1')), {...child(named('b:v1')), size: 7}], []),
    expected: 'a:v1 whole, b:v1 DIGEST_MISMATCH',
  },
  {
    name: 'two sizes for one layer',
    made: 'the same layer twice, the second time with one byte more',
    make: () => {
      const liar = image('good', (manifest) => ({
        ...manifest,
        layers: [one.layer, {...one.layer, size: one.layer.size + 1}].map((layer) =>
          descriptor(mediaTypes.ociLayerGzip, layer),
        ),
      }))
      return layout([descriptor(mediaTypes.ociManifest, liar.manifest, app)], [liar.manifest])
    },
    expected: 'app:v1 MANIFEST_INVALID',
  },
  {
    name: 'a name that says another digest',
    made: `app:v1@sha256:000…, over the good manifest`,
    make: () => layout([child(named(`app:v1@sha256:${'0'.repeat(64)}`))], []),
    expected: /^app:v1 whole$/,
  },
  {
    name: 'an image in sha512',
    made: 'digests of another algorithm that is allowed',
    make: () => {
      const digest = digestOf(one.manifest.bytes, 'sha512')
      return tar([
        ...imageMembers(one),
        pax({path: blobPath(digest)}),
        {path: 'x', content: one.manifest.bytes},
        indexJson([{...child(app), digest}]),
        LAYOUT,
      ])
    },
    expected: WHOLE,
  },
  {
    name: 'a blob whose name only looks like a digest',
    made: 'blobs/sha256/HEX with another ending, beside the true ones',
    make: () =>
      tar([
        ...good,
        {path: `${blobPath(one.layer.digest)}.txt`, content: 'x'},
        {path: `blobs/sha256/${hexOf(one.layer.digest)}/x`, content: 'x'},
      ]),
    expected: WHOLE,
  },
]

export const graphCases: readonly HostileCase[] = [
  {
    name: 'an index that names itself',
    made: 'by a digest that cannot be true',
    make: () => {
      const digest = `sha256:${'5'.repeat(64)}` as const
      const self = blob({
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [{mediaType: mediaTypes.ociIndex, digest, size: 250}],
      })
      return layout(
        [{mediaType: mediaTypes.ociIndex, digest, size: self.size, ...app}],
        [],
        [{path: blobPath(digest), content: self.bytes}],
      )
    },
    expected: 'app:v1 DIGEST_MISMATCH',
  },
  {name: 'indexes of 20 levels', made: 'each names the next', make: () => tower(20), expected: WHOLE},
  {
    name: 'a web of indexes',
    made: '7 levels of 30, each naming all of the next: 30^7 paths',
    make: web,
    expected: WHOLE,
  },
  {
    name: 'a sparse index of 10,000 levels',
    made: 'two images, one that is not there, and an annotation of lists in lists: it would be written anew',
    make: () => {
      const other = image('other')
      const absent = {mediaType: mediaTypes.ociManifest, size: 1, digest: `sha256:${'0'.repeat(64)}`}
      const children = [child(), descriptor(mediaTypes.ociManifest, other.manifest), absent]
      const text = index(children).bytes.toString()
      const deep = blob(text.replace('{', `{"annotations":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}},`))
      return layout([asIndex(deep, app)], [deep], imageMembers(other))
    },
    expected: 'app:v1 LIMIT_EXCEEDED',
  },
  {
    name: 'an index of 100,000 images',
    made: 'short descriptors of images that are not there',
    make: () => {
      const huge = index(
        Array.from({length: 100_000}, (_, at) => ({
          mediaType: 'x',
          size: 1,
          digest: `sha256:${at.toString(16).padStart(64, '0')}`,
        })),
      )
      return layout([asIndex(huge, app)], [huge])
    },
    expected: 'app:v1 LIMIT_EXCEEDED',
  },
  {
    name: 'an index that is said to be an image',
    made: 'the descriptor has the type of a manifest',
    make: () => layout([descriptor(mediaTypes.ociManifest, inner, app)], [inner]),
    expected: WHOLE,
  },
  {
    name: 'referrers without names, of each other',
    made: 'each names a subject that is not there',
    make: () => {
      const about = (seed: string, hex: string) =>
        image('good', (manifest) => ({
          ...manifest,
          annotations: {seed},
          subject: {mediaType: mediaTypes.ociManifest, digest: `sha256:${hex.repeat(64)}`, size: 1},
        })).manifest
      const both = [about('a', 'b'), about('b', 'a')]
      return layout([child(app), ...both.map((each) => descriptor(mediaTypes.ociManifest, each))], both)
    },
    expected: 'app:v1 whole, ? bundle whole',
  },
  {
    name: '20,000 names for one manifest of 4 MB',
    made: 'bare tags in index.json: whose it is has to be looked up',
    make: () => {
      const huge = image('good', (manifest) => ({
        ...manifest,
        annotations: {pad: 'x'.repeat(4_000_000)},
      })).manifest
      const roots = Array.from({length: 20_000}, (_, at) =>
        descriptor(mediaTypes.ociManifest, huge, {
          annotations: {'org.opencontainers.image.ref.name': `t${at}`},
        }),
      )
      return layout(roots, [huge])
    },
    expected: /whole/,
  },
  {
    name: '300,000 images',
    made: 'index.json of 60 MB that names what is not there',
    make: () => {
      const absent = (at: number) => ({
        mediaType: mediaTypes.ociManifest,
        size: 1,
        digest: `sha256:${at.toString(16).padStart(64, '0')}`,
      })
      return gzipSync(
        layout(
          Array.from({length: 300_000}, (_, at) => absent(at)),
          [],
        ),
        {level: 1},
      )
    },
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: '40 manifests of 4 MB',
    made: 'each names the good layer and is padded with spaces: 160 MB in all',
    make: () => {
      const huge = Array.from({length: 40}, (_, at) =>
        blob(`${' '.repeat(4_000_000 + at)}${one.manifest.bytes.toString()}`),
      )
      const roots = huge.map((each, at) => descriptor(mediaTypes.ociManifest, each, named(`a${at}:v1`)))
      return gzipSync(layout(roots, huge), {level: 1})
    },
    expected: /whole.*LIMIT_EXCEEDED/,
  },
]
