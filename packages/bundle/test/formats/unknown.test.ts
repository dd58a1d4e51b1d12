import {mkdir, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {gzipSync} from 'node:zlib'
import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import {openBundle} from '#src/index.js'
import {literalTar} from '../fixtures/literal-tar.js'
import {
  errorOf,
  layOut,
  namesOf,
  openDirectory,
  openFile,
  openTar,
  readWhole,
  testDirectory,
} from '../fixtures/opened.js'
import {descriptor, image, indexJson, OCI_LAYOUT} from '../fixtures/parts.js'

const app = image('app')
const annotations = {'io.containerd.image.name': 'a.example/b:c'}
const layout = [
  ...app.blobs,
  indexJson([descriptor(mediaTypes.ociManifest, app.manifest, {annotations})]),
  OCI_LAYOUT,
]

describe('input that is not a bundle', () => {
  test('an archive without images is refused with a list of its content', async () => {
    const files = Array.from({length: 14}, (_, index) => ({
      path: `chart-${index}.txt`,
      content: 'x'.repeat(index),
    }))
    const error = await errorOf(openTar([...files, {path: 'vm.ova', content: literalTar([])}]))
    expect(error).toMatchObject({code: 'SOURCE_UNKNOWN', side: 'source'})
    expect(error.message).toContain('chart-3.txt (file, 3 bytes)')
    expect(error.message).toContain('and 5 more')
    expect(error.advice).toEqual({kind: 'give-images'})
  })

  test.each([
    ['text', 'hello there', /it is text$/],
    ['a page', '<!DOCTYPE html><html>', /HTML page/],
    ['JSON', '{"Sha256Sum": ""}', /JSON/],
    ['a program', Buffer.from('7f454c4602010100', 'hex'), /Linux program/],
    ['noise', Buffer.from('00ff00ff00ff', 'hex'), /binary data of an unknown kind/],
    ['packed text', gzipSync('hello there'), /it is text$/],
  ])('%s is reported as such', async (_what, content, message) => {
    const error = await errorOf(openFile(Buffer.from(content)))
    expect(error).toMatchObject({code: 'SOURCE_UNKNOWN', side: 'source'})
    expect(error.message).toMatch(message)
  })

  test('an empty file, archive or directory is reported as empty', async () => {
    for (const open of [() => openFile(Buffer.alloc(0)), () => openTar([]), () => openDirectory([])]) {
      expect(await errorOf(open())).toMatchObject({code: 'SOURCE_EMPTY', side: 'source'})
    }
  })

  test('a missing path is reported as missing', async () => {
    expect(await errorOf(openBundle('/nowhere/bundle.tar'))).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      side: 'source',
      message: expect.stringContaining('/nowhere/bundle.tar') as string,
    })
  })
})

describe('directories', () => {
  test('links inside are followed, of directories too', async () => {
    await using directory = await testDirectory()
    const store = layout.map((entry) => ({...entry, path: entry.path.replace(/^blobs\//, 'store/')}))
    await layOut([...store, {path: 'blobs', type: '2', link: 'store'}], directory.path)
    await using source = await openBundle(directory.path)
    const [found] = await source.images()
    expect(found && (await readWhole(source, found))).toHaveLength(4)
  })

  test('a blob that is linked from outside is not read', async () => {
    await using directory = await testDirectory()
    await writeFile(join(directory.path, 'outside'), app.manifest.bytes)
    const inside = join(directory.path, 'layout')
    const path = `blobs/sha256/${app.manifest.hex}`
    await layOut(
      layout.filter((entry) => entry.path !== path),
      inside,
    )
    await symlink('../../../outside', join(inside, path))
    await using source = await openBundle(inside)
    const [found] = await source.images()
    if (found === undefined || !('manifest' in found.root)) throw new Error('pending')
    expect(source.has(found.root.manifest)).toBe(false)
  })

  test('links in a circle are a clear error', async () => {
    await using directory = await testDirectory()
    await mkdir(join(directory.path, 'layout'))
    await symlink('b', join(directory.path, 'layout', 'index.json'))
    await symlink('index.json', join(directory.path, 'layout', 'b'))
    const error = await errorOf(openBundle(join(directory.path, 'layout')))
    expect(error).toMatchObject({code: 'SOURCE_CORRUPT', side: 'source'})
    expect(error.message).toMatch(/circle/)
  })

  test('a link to the directory itself is harmless', async () => {
    await using directory = await testDirectory()
    await layOut([...layout, {path: 'again', type: '2', link: '.'}], directory.path)
    await using source = await openBundle(directory.path)
    expect(namesOf(await source.images())).toEqual(['a.example/b:c'])
  })
})

describe('standard input', () => {
  test('- reads the stream', async () => {
    await using source = await openBundle('-', {stdin: Readable.from([literalTar(layout)])})
    expect(namesOf(await source.images())).toEqual(['a.example/b:c'])
  })

  test('without a stream it is a usage error', async () => {
    expect(await errorOf(openBundle('-'))).toMatchObject({code: 'USAGE'})
  })
})

test('a run that was cancelled opens nothing', async () => {
  const signal = AbortSignal.abort()
  expect(await errorOf(openTar(layout, {signal}))).toMatchObject({code: 'CANCELLED'})
})

test('disposing twice is harmless', async () => {
  await using bundle = await openTar(layout)
  await bundle.source[Symbol.asyncDispose]()
  await expect(bundle.source[Symbol.asyncDispose]()).resolves.toBeUndefined()
})
