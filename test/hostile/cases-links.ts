import {hexOf} from '@airgap-mirror/oci-client/model'
import type {HostileCase} from './hostile-case.js'
import {blobPath, image, imageMembers, layoutOf, LAYOUT} from './raw-image.js'
import {longName, pax, tar, type RawMember} from './raw-tar.js'

const one = image('good')
const good = layoutOf(one, 'app:v1')
const WHOLE = 'app:v1 whole'
const layer = blobPath(one.layer.digest)
const config = blobPath(one.config.digest)

function symlink(path: string, link: string): RawMember {
  return {path, type: '2', link}
}
function hardlink(path: string, link: string): RawMember {
  return {path, type: '1', link}
}
function without(path: string): readonly RawMember[] {
  return good.filter((member) => member.path !== path)
}
const indexContent = good.find(({path}) => path === 'index.json')?.content ?? ''

/** index.json is what the links lead to. */
function indexBehind(...links: readonly RawMember[]) {
  return (): Buffer => tar([...without('index.json'), ...links])
}

function chain(length: number): readonly RawMember[] {
  return Array.from({length}, (_, at) =>
    symlink(at === 0 ? 'index.json' : `l${at}`, at + 1 === length ? 'real' : `l${at + 1}`),
  )
}

const FAR = 'a/'.repeat(500_000)

export const linkCases: readonly HostileCase[] = [
  {
    name: 'a link to itself',
    made: 'index.json → index.json',
    make: indexBehind(symlink('index.json', 'index.json')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a hard link to itself',
    made: 'index.json = index.json',
    make: indexBehind(hardlink('index.json', 'index.json')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'links in a circle',
    made: 'index.json → a → b → index.json',
    make: indexBehind(symlink('index.json', 'a'), symlink('a', 'b'), hardlink('b', 'index.json')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'directories in a circle',
    made: 'd → e, e → d, index.json → d/x',
    make: indexBehind(symlink('d', 'e'), symlink('e', 'd'), symlink('index.json', 'd/x')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a directory inside itself',
    made: 'd → d/d/d, index.json → d/x: grows with every step',
    make: indexBehind(symlink('d', 'd/d/d'), symlink('index.json', 'd/x')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a long chain',
    made: '10 links to index.json',
    make: indexBehind(...chain(10), {path: 'real', content: indexContent}),
    expected: WHOLE,
  },
  {
    name: 'a chain without end',
    made: '10,000 links to index.json',
    make: indexBehind(...chain(10_000), {path: 'real', content: indexContent}),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a link to a file of the system',
    made: 'index.json → /etc/hostname',
    make: indexBehind(symlink('index.json', '/etc/hostname')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a link out of the archive',
    made: 'index.json → ../../../../etc/hostname',
    make: indexBehind(symlink('index.json', '../../../../etc/hostname')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a link to nothing',
    made: 'index.json → ""',
    make: indexBehind(symlink('index.json', '')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a link that goes far',
    made: 'index.json → a/a/a/… of 1 MB, by GNU type K',
    make: indexBehind(longName(FAR, 'K'), symlink('index.json', '')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a link that goes far, by pax',
    made: 'index.json → a/a/a/… of 1 MB',
    make: indexBehind(pax({linkpath: FAR}), symlink('index.json', '')),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'many links that go far',
    made: '3,000 blobs → d/N/…, d → a directory 1,900 deep: each step is a new path of 4 KB',
    make: () =>
      tar([
        ...good,
        longName('p/'.repeat(950), 'K'),
        symlink('d', ''),
        ...Array.from({length: 3000}, (_, at) => [
          longName(`../../d/${'q/'.repeat(900)}${at}`, 'K'),
          symlink(`blobs/sha256/${at.toString(16).padStart(64, '0')}`, ''),
        ]).flat(),
      ]),
    expected: /^(?:app:v1 whole|LIMIT_EXCEEDED)$/,
  },
  {
    name: 'many links through chains',
    made: '15,000 blobs → c0 → c1 → … → c15',
    make: () =>
      tar([
        ...good,
        ...Array.from({length: 16}, (_, at) => symlink(`c${at}`, `c${at + 1}`)),
        ...Array.from({length: 15_000}, (_, at) =>
          symlink(`blobs/sha256/${at.toString(16).padStart(64, '0')}`, '../../c0'),
        ),
      ]),
    expected: WHOLE,
  },
  {
    name: 'a layer behind a link',
    made: 'blobs/sha256/LAYER → ../../elsewhere, with the right content',
    make: () =>
      tar([
        ...without(layer),
        symlink(layer, '../../elsewhere'),
        {path: 'elsewhere', content: one.layer.bytes},
      ]),
    expected: WHOLE,
  },
  {
    name: 'a layer that is a link to other content',
    made: 'blobs/sha256/LAYER → CONFIG',
    make: () => tar([...without(layer), symlink(layer, hexOf(one.config.digest))]),
    expected: 'app:v1 DIGEST_MISMATCH',
  },
  {
    name: 'blobs behind a link',
    made: 'blobs → elsewhere',
    make: () =>
      tar([
        ...imageMembers(one).map(({path, content = ''}) => ({
          path: path.replace('blobs', 'elsewhere'),
          content,
        })),
        ...good.slice(3),
        symlink('blobs', 'elsewhere'),
      ]),
    expected: WHOLE,
  },
  {
    name: 'two files of one path, the last is another index',
    made: 'index.json twice, as tar -A makes it: the images of both lists are read',
    make: () => tar([...good, {path: './index.json', content: '{"manifests":[]}'}]),
    expected: 'app:v1 whole',
  },
  {
    name: 'a blob twice, the last lies',
    made: 'blobs/sha256/LAYER, first right, then with another bit',
    make: () => tar([...good, {path: layer, content: flipped(one.layer.bytes)}]),
    expected: 'app:v1 DIGEST_MISMATCH',
  },
  {
    name: 'a blob twice, the first lies',
    made: 'blobs/sha256/LAYER, first with another bit, then right',
    make: () => tar([{path: layer, content: flipped(one.layer.bytes)}, ...good]),
    expected: WHOLE,
  },
  {
    name: 'a blob that becomes a directory',
    made: 'blobs/sha256/CONFIG as a file, then as a directory',
    make: () => tar([...good, {path: `${config}/`, type: '5'}]),
    expected: 'app:v1 BLOB_MISSING',
  },
  {
    name: 'a file that becomes a link to itself',
    made: 'oci-layout as a file, then as a link',
    make: () => tar([...good, LAYOUT, symlink('oci-layout', 'oci-layout')]),
    expected: 'SOURCE_CORRUPT',
  },
]

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[20] = (copy[20] ?? 0) ^ 1
  return copy
}
