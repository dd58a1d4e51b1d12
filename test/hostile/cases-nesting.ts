import {gzipSync} from 'node:zlib'
import type {HostileCase} from './hostile-case.js'
import {image, layoutOf} from './raw-image.js'
import {longName, members, tar, TRAILER, type RawMember} from './raw-tar.js'

const good = layoutOf(image('good'), 'app:v1')
const WHOLE = 'app:v1 whole'

function wrapped(bytes: Uint8Array, times: number): Buffer {
  let inside = Buffer.from(bytes)
  for (let at = 0; at < times; at += 1) inside = gzipSync(tar([{path: `level${at}.tar.gz`, content: inside}]))
  return inside
}

/** Archives inside archives. */
export const nestingCases: readonly HostileCase[] = [
  {
    name: 'a bundle three archives deep',
    made: 'tar.gz in tar.gz in tar.gz',
    make: () => wrapped(tar(good), 3),
    expected: WHOLE,
  },
  {
    name: 'archives without end',
    made: '30 archives inside each other',
    make: () => wrapped(tar(good), 30),
    expected: 'SOURCE_UNKNOWN',
  },
  {
    name: 'a bomb in each of many archives',
    made: '200 gzip files of 64 MiB of zeros each inside one archive, 13 GB in all',
    make: () => {
      const bomb = gzipSync(tar([{path: 'zeros', content: Buffer.alloc(64 * 2 ** 20)}]), {level: 9})
      return tar(Array.from({length: 200}, (_, at) => ({path: `${at}.tar.gz`, content: bomb})))
    },
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: '3,000 archives of nothing',
    made: 'small tars without images',
    make: () => {
      const empty = tar([{path: 'x', content: 'x'}])
      return tar(Array.from({length: 3000}, (_, at) => ({path: `${at}.tar`, content: empty})))
    },
    expected: 'SOURCE_UNKNOWN',
  },
  {
    name: 'a good archive beside a damaged one',
    made: 'a.tar is whole, b.tar.gz is cut short',
    make: () =>
      tar([
        {path: 'a.tar', content: tar(good)},
        {path: 'b.tar.gz', content: gzipSync(tar(good)).subarray(0, 300)},
      ]),
    expected: 'app:v1 whole, ? b.tar.gz SOURCE_TRUNCATED',
  },
  {
    name: 'directories that are all layouts',
    made: '1,000 directories inside each other with an index.json each, 8,000 files in the last',
    make: () => {
      const deep = 'd/'.repeat(1000)
      const at = (depth: number, name: string, content = ''): readonly RawMember[] => [
        longName(`${deep.slice(0, 2 * depth)}${name}`),
        {path: 'x', content},
      ]
      const indexes = Array.from({length: 1000}, (_, depth) => at(depth + 1, 'index.json', '[]')).flat()
      const files = Array.from({length: 8000}, (_, file) => at(1000, String(file))).flat()
      return gzipSync(Buffer.concat([members(indexes), members(files), TRAILER]), {level: 1})
    },
    expected: 'SOURCE_UNKNOWN',
  },
  {
    name: '520,000 files',
    made: 'the same empty members again and again, 270 MB in 1 MB',
    make: () => {
      const block = gzipSync(members(Array.from({length: 20_000}, (_, at) => ({path: `f${at}`}))), {level: 9})
      return Buffer.concat(Array.from({length: 26}, () => block))
    },
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'names of 80 MB',
    made: '20,000 paths of 4,000 characters',
    make: () => {
      const block = gzipSync(
        members(
          Array.from({length: 1000}, (_, at) => [
            longName('n'.repeat(4000) + String(at)),
            {path: 'x'},
          ]).flat(),
        ),
        {level: 9},
      )
      return Buffer.concat(Array.from({length: 20}, () => block))
    },
    expected: 'LIMIT_EXCEEDED',
  },
]
