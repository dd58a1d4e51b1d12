import {gzipSync} from 'node:zlib'
import {hexOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import type {HostileCase} from './hostile-case.js'
import {
  blob,
  blobMember,
  descriptor,
  image,
  imageMembers,
  indexJson,
  LAYOUT,
  named,
  type RawBlob,
} from './raw-image.js'
import {tar} from './raw-tar.js'

const MB = 1_000_000
const one = image('good')
const WHOLE = 'app:v1 whole'
const root = descriptor(mediaTypes.ociManifest, one.manifest, named('app:v1'))
const goodIndex = JSON.stringify({schemaVersion: 2, manifests: [root]})

/** The good layout with another text in index.json. */
function withIndex(content: string | Uint8Array) {
  return (): Buffer =>
    gzipSync(tar([...imageMembers(one), {path: 'index.json', content}, LAYOUT]), {level: 1})
}

/** The good layout with another manifest under its true digest. */
function withManifest(bytes: RawBlob): Buffer {
  return tar([
    ...imageMembers(one),
    blobMember(bytes),
    indexJson([descriptor(mediaTypes.ociManifest, bytes, named('app:v1'))]),
    LAYOUT,
  ])
}

function manifestText(change: (text: string) => string) {
  return (): Buffer => withManifest(blob(change(one.manifest.bytes.toString())))
}

function layers(count: number): RawBlob {
  return image('good', (manifest) => ({
    ...manifest,
    layers: Array.from({length: count}, () => descriptor(mediaTypes.ociLayerGzip, one.layer)),
  })).manifest
}

function sizeOf(size: string) {
  return manifestText((text) => text.replace(`"size":${one.layer.size}`, `"size":${size}`))
}

const indexCases: readonly HostileCase[] = [
  {
    name: 'index.json of 100 MB',
    made: 'spaces',
    make: withIndex(Buffer.alloc(100 * MB, ' ')),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'index.json of 10,000 levels',
    made: '[[[[…]]]]',
    make: withIndex(`${'['.repeat(10_000)}${']'.repeat(10_000)}`),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'index.json of a million levels',
    made: '{"a":{"a":…',
    make: withIndex('{"a":'.repeat(1_000_000)),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: '10,000 levels in a place that nobody reads',
    made: 'annotations of index.json',
    make: withIndex(
      goodIndex.replace('{', `{"annotations":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}},`),
    ),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'a JSON bomb of objects',
    made: 'ten million times {}, in 30 MB',
    make: withIndex(`[${'{},'.repeat(10_000_000)}{}]`),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'a JSON bomb of lists',
    made: 'ten million times [], in 30 MB',
    make: withIndex(`{"manifests":[${'[],'.repeat(10_000_000)}[]]}`),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'a JSON bomb of keys',
    made: 'two million keys of one object',
    make: withIndex(`{${Array.from({length: 2_000_000}, (_, at) => `"k${at}":0`).join()}}`),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'a huge string',
    made: 'a name of 20 MB',
    make: withIndex(
      JSON.stringify({
        manifests: [descriptor(mediaTypes.ociManifest, one.manifest, named('x'.repeat(20 * MB)))],
      }),
    ),
    expected: /^\? x+ whole$/,
  },
  {
    name: 'a huge string of wide characters',
    made: 'an annotation of 15 MB of emoji',
    make: withIndex(goodIndex.replace('{', `{"annotations":{"a":"${'😀'.repeat(3_750_000)}"},`)),
    expected: WHOLE,
  },
  {
    name: 'a key twice',
    made: '"manifests" twice: the last counts, as in Go',
    make: withIndex(goodIndex.replace('{', '{"manifests":[],')),
    expected: WHOLE,
  },
  {
    name: 'keys of prototypes',
    made: '__proto__, constructor',
    make: withIndex(
      goodIndex.replace(
        '{',
        '{"__proto__":{"manifests":[],"digest":"x"},"constructor":{"prototype":{"size":1}},',
      ),
    ),
    expected: WHOLE,
  },
  {
    name: 'a prototype in an annotation',
    made: 'annotations.__proto__ holds another name',
    make: withIndex(
      goodIndex.replace(
        '"annotations":{',
        '"annotations":{"__proto__":{"io.containerd.image.name":"evil:v1"},',
      ),
    ),
    expected: WHOLE,
  },
  {
    name: 'a byte order mark',
    made: 'EF BB BF before index.json',
    make: withIndex(`\ufeff${goodIndex}`),
    expected: WHOLE,
  },
  {
    name: 'bytes that are no UTF-8',
    made: '0xff in a string',
    make: withIndex(Buffer.from(goodIndex.replace('schemaVersion', 'schemaVersi\u00ff'), 'latin1')),
    expected: 'MANIFEST_INVALID',
  },
  {
    name: 'UTF-16',
    made: 'index.json in two bytes a character',
    make: withIndex(Buffer.from(goodIndex, 'utf16le')),
    expected: 'MANIFEST_INVALID',
  },
  {
    name: 'half a character',
    made: 'an escaped lone surrogate in the name',
    make: withIndex(goodIndex.replace('app:v1', String.raw`app\ud800:v1`)),
    expected: /^\? app.:v1 whole$/,
  },
  {
    name: 'text after the JSON',
    made: 'index.json and then }',
    make: withIndex(`${goodIndex}}`),
    expected: 'MANIFEST_INVALID',
  },
  {
    name: 'numbers instead of manifests',
    made: '"manifests":[1,null,"x"]',
    make: withIndex('{"manifests":[1,null,"x"]}'),
    expected: 'MANIFEST_INVALID',
  },
  {
    name: 'null instead of everything',
    made: 'index.json is null',
    make: withIndex('null'),
    expected: 'MANIFEST_INVALID',
  },
]

const manifestCases: readonly HostileCase[] = [
  {
    name: 'a manifest of 5 MB',
    made: 'spaces at its end',
    make: manifestText((text) => text + ' '.repeat(5 * MB)),
    expected: 'app:v1 LIMIT_EXCEEDED',
  },
  {
    name: 'a manifest of 100,000 layers',
    made: 'the same one each time, under the size limit by short media types',
    make: () => withManifest(layers(100_000)),
    expected: 'app:v1 LIMIT_EXCEEDED',
  },
  {
    name: 'a manifest of 10,000 layers',
    made: 'the same one each time',
    make: () => withManifest(layers(10_000)),
    expected: WHOLE,
  },
  {
    name: 'a layer of petabytes',
    made: 'the descriptor says 2^50 bytes',
    make: sizeOf(String(2 ** 50)),
    expected: 'app:v1 LIMIT_EXCEEDED',
  },
  {
    name: 'a layer of 16 TiB',
    made: 'the descriptor says 2^44 bytes',
    make: sizeOf(String(2 ** 44)),
    expected: 'app:v1 DIGEST_MISMATCH',
  },
  {
    name: 'a layer of 1e999 bytes',
    made: 'a number beyond numbers',
    make: sizeOf('1e999'),
    expected: 'app:v1 MANIFEST_INVALID',
  },
  {
    name: 'a layer of 2^53 bytes',
    made: 'a number that is not exact',
    make: sizeOf('9007199254740993'),
    expected: 'app:v1 MANIFEST_INVALID',
  },
  {
    name: 'a layer of less than nothing',
    made: 'size -1',
    make: sizeOf('-1'),
    expected: 'app:v1 MANIFEST_INVALID',
  },
  {name: 'half a byte', made: 'size 0.5', make: sizeOf('0.5'), expected: 'app:v1 MANIFEST_INVALID'},
  {name: 'a size in words', made: 'size "12"', make: sizeOf('"12"'), expected: 'app:v1 MANIFEST_INVALID'},
  {
    name: 'a media type of 3 MB',
    made: 'of the manifest itself',
    make: manifestText((text) => text.replace(mediaTypes.ociManifest, 'x'.repeat(3 * MB))),
    expected: 'app:v1 MANIFEST_INVALID',
  },
  {
    name: 'a digest that is a path',
    made: 'sha256:../../../etc/passwd',
    make: manifestText((text) => text.replace(one.layer.digest, 'sha256:../../../etc/passwd')),
    expected: 'app:v1 MANIFEST_INVALID',
  },
  {
    name: 'a digest in upper case',
    made: 'as some tools print it',
    make: manifestText((text) =>
      text.replace(hexOf(one.layer.digest), hexOf(one.layer.digest).toUpperCase()),
    ),
    expected: 'app:v1 MANIFEST_INVALID',
  },
  {
    name: 'a digest of a broken algorithm',
    made: 'md5',
    make: manifestText((text) => text.replace(one.layer.digest, 'md5:d41d8cd98f00b204e9800998ecf8427e')),
    expected: 'app:v1 MANIFEST_INVALID',
  },
  {
    name: 'a manifest of schema 1',
    made: 'signed, with fsLayers',
    make: () => withManifest(blob({schemaVersion: 1, name: 'app', fsLayers: []})),
    expected: 'app:v1 SOURCE_UNSUPPORTED',
  },
  {
    name: 'a manifest that is also an index',
    made: 'layers and manifests in one, without a media type',
    make: () =>
      withManifest(
        blob({
          ...(JSON.parse(one.manifest.bytes.toString()) as object),
          mediaType: undefined,
          manifests: [root],
        }),
      ),
    expected: 'app:v1 MANIFEST_INVALID',
  },
]

export const jsonCases: readonly HostileCase[] = [...indexCases, ...manifestCases]
