import {gzipSync} from 'node:zlib'
import {hexOf} from '@airgap-mirror/oci-client/model'
import type {HostileCase} from './hostile-case.js'
import {blob, dockerOf, image, type RawBlob} from './raw-image.js'
import {tar} from './raw-tar.js'

const MB = 1_000_000
const one = image('good')

function bigConfig(): RawBlob {
  return blob({
    rootfs: {diff_ids: Array.from({length: 10_000}, () => one.plain.digest)},
    pad: 'x'.repeat(7 * MB),
  })
}

/** Docker-archives whose manifest.json asks for more than it weighs, or for what is not there. */
export const dockerCases: readonly HostileCase[] = [
  {
    name: 'manifest.json that is a list of nothing',
    made: '[null]',
    make: () => tar(dockerOf(one, 'app:v1', () => [null])),
    expected: /^SOURCE_UNKNOWN$/,
  },
  {
    name: 'a config out of the archive',
    made: 'Config ../../../etc/passwd',
    make: () => tar(dockerOf(one, 'app:v1', ([item]) => [{...item, Config: '../../../etc/passwd'}])),
    expected: 'BLOB_MISSING',
  },
  {
    name: 'layers that the config does not know',
    made: 'two layers, one diff id',
    make: () => tar(dockerOf(one, 'app:v1', ([item]) => [{...item, Layers: ['a', 'b']}])),
    expected: 'MANIFEST_INVALID',
  },
  {
    name: 'a layer that is not its diff id',
    made: 'the config as the layer',
    make: () =>
      tar(dockerOf(one, 'app:v1', ([item]) => [{...item, Layers: [`${hexOf(one.config.digest)}.json`]}])),
    expected: 'MANIFEST_INVALID',
  },
  {
    name: '10,000 names for 10,000 layers',
    made: 'one config, the same layer 10,000 times, 10,000 RepoTags',
    make: () => {
      const config = bigConfig()
      const path = `${hexOf(config.digest)}.json`
      const item = {
        Config: path,
        RepoTags: Array.from({length: 10_000}, (_, at) => `a${at}:v`),
        Layers: Array.from({length: 10_000}, () => 'l'),
      }
      return tar([
        {path: 'l', content: tar([{path: 'f', content: 'x'}])},
        {path, content: config.bytes},
        {path: 'manifest.json', content: JSON.stringify([item])},
      ])
    },
    expected: /DIGEST_MISMATCH/,
  },
  {
    name: 'a config for 2,000 images',
    made: 'of 7 MB, which each of them names',
    make: () => {
      const config = blob({pad: 'x'.repeat(7 * MB)})
      const path = `${hexOf(config.digest)}.json`
      const items = Array.from({length: 2000}, (_, at) => ({
        Config: path,
        RepoTags: [`a${at}:v`],
        Layers: [],
      }))
      return tar([
        {path, content: config.bytes},
        {path: 'manifest.json', content: JSON.stringify(items)},
      ])
    },
    expected: /whole/,
  },
  {
    name: 'layers that are not there',
    made: '30 images of 10,000 missing layers, beside 30,000 other files',
    make: () => {
      const config = bigConfig()
      const path = `${hexOf(config.digest)}.json`
      const items = Array.from({length: 30}, (_, at) => ({
        Config: path,
        RepoTags: [`a${at}:v`],
        Layers: Array.from({length: 10_000}, () => 'l'),
      }))
      return tar([
        {path, content: config.bytes},
        ...Array.from({length: 30_000}, (_, at) => ({path: `f${at}`})),
        {path: 'manifest.json', content: JSON.stringify(items)},
      ])
    },
    expected: /BLOB_MISSING/,
  },
  {
    name: 'a manifest.json of two million layers',
    made: '200 images of 10,000 layers',
    make: () => {
      const config = bigConfig()
      const path = `${hexOf(config.digest)}.json`
      const items = Array.from({length: 200}, (_, at) => ({
        Config: path,
        RepoTags: [`a${at}:v`],
        Layers: Array.from({length: 10_000}, () => 'l'),
      }))
      return gzipSync(
        tar([
          {path: 'l', content: 'x'},
          {path, content: config.bytes},
          {path: 'manifest.json', content: JSON.stringify(items)},
        ]),
        {level: 1},
      )
    },
    expected: 'LIMIT_EXCEEDED',
  },
]
