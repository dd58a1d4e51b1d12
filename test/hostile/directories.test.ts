import {mkdir, rm, symlink, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {makeTempDir, requireTool, runChild, writeDirectory, type TempDir} from '@airgap-mirror/test/kit'
import {blobPath, image, layoutOf} from './raw-image.js'
import {startReader, type Reader} from './reader.js'

const one = image('good')
const WHOLE = 'app:v1 whole'
const layer = blobPath(one.layer.digest)

let temp: TempDir
let reader: Reader
beforeAll(async () => {
  temp = await makeTempDir()
  reader = startReader()
})
afterAll(async () => {
  await reader[Symbol.asyncDispose]()
  await temp.remove()
})

/** In a directory that holds the good layout: what is done to it, and what it comes to then. */
const cases: readonly (readonly [string, (path: string) => Promise<unknown>, string])[] = [
  ['nothing done to it', async () => {}, WHOLE],
  ['a link to its own parent', (path) => symlink('..', join(path, 'up')), WHOLE],
  ['a link to the root of the system', (path) => symlink('/', join(path, 'root')), WHOLE],
  [
    'blobs that are a link to themselves',
    async (path) => {
      await rm(join(path, 'blobs'), {recursive: true})
      await symlink('blobs', join(path, 'blobs'))
    },
    'app:v1 SOURCE_CORRUPT',
  ],
  [
    'a layer that is a link to an endless device',
    async (path) => {
      await rm(join(path, layer))
      await symlink('/dev/zero', join(path, layer))
    },
    'app:v1 BLOB_MISSING',
  ],
  [
    'an index that is a link to a file of the system',
    async (path) => {
      await rm(join(path, 'index.json'))
      await symlink('/etc/hostname', join(path, 'index.json'))
    },
    // A link at the top is followed, since the user named its directory.
    'MANIFEST_INVALID',
  ],
  [
    'an index of a terabyte of nothing',
    (path) => truncate(join(path, 'index.json'), 2 ** 40),
    'LIMIT_EXCEEDED',
  ],
  [
    'a layer of a terabyte of nothing',
    (path) => truncate(join(path, layer), 2 ** 40),
    'app:v1 DIGEST_MISMATCH',
  ],
  [
    'a layer that is a directory',
    async (path) => {
      await rm(join(path, layer))
      await mkdir(join(path, layer))
    },
    'app:v1 BLOB_MISSING',
  ],
  ['files for a terminal', (path) => writeFile(join(path, '\u001b[2J\n\u202e'), ''), WHOLE],
]

test.each(cases)('a directory with %s', async (name, change, expected) => {
  const path = join(temp.path, String(cases.findIndex((one) => one[0] === name)))
  await writeDirectory(
    path,
    layoutOf(one, 'app:v1').map(({path: member, content = ''}) => ({
      path: member,
      bytes: Buffer.from(content),
    })),
  )
  await change(path)
  const {outcome, message} = await reader.read(path)
  expect({outcome, message}).toMatchObject({outcome: expected})
})

test('a directory with a pipe that nobody writes to', async (context) => {
  requireTool(context, 'mkfifo')
  const path = join(temp.path, 'pipe')
  await mkdir(path)
  await runChild('mkfifo', [join(path, 'index.json')], {env: {PATH: process.env['PATH']}})
  expect(await reader.read(path)).toMatchObject({outcome: 'SOURCE_EMPTY'})
})
