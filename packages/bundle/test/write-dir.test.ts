import {mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {hexOf} from '@airgap-mirror/oci-client/model'
import {makeImage, requireTool, skopeo, skopeoDirectory, type TestImage} from '@airgap-mirror/test/kit'
import {openFileSink} from '#src/index.js'
import {errorOf, readWhole} from './fixtures/opened.js'
import {onlyImage, openLayout, target, transfer, withBundle} from './write-kit.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-write-'))
})
afterEach(() => rm(directory, {recursive: true, force: true}))

function at(name: string): string {
  return join(directory, name)
}
async function write(image: TestImage, path: string, options: {finish?: boolean} = {}): Promise<void> {
  await using source = await openLayout(await mkdtemp(at('source-')), [{image}])
  await using sink = await openFileSink({format: 'dir', path})
  await transfer(await onlyImage(source), {source, sink})
  if (options.finish !== false) await sink.finish()
}
async function namesIn(path: string): Promise<ReadonlySet<string>> {
  return new Set(await readdir(path))
}
/** Returns the names of the files that skopeo writes for an image. */
function expected(image: TestImage): ReadonlySet<string> {
  return new Set(skopeoDirectory(image).map(({path}) => path))
}

const multi = await makeImage({seed: 'dir-multi', platforms: ['linux/amd64', 'linux/arm64']})
const one = await makeImage({seed: 'dir-one', layers: 3})

test.each([
  ['an index of two platforms', multi],
  ['one image', one],
  ['a Docker image', await makeImage({seed: 'dir-docker', format: 'docker'})],
])('%s is laid out as skopeo does, byte for byte', async (_, image) => {
  await write(image, at('out'))
  for (const entry of skopeoDirectory(image)) {
    if (!('bytes' in entry)) continue
    expect((await readFile(join(at('out'), entry.path))).equals(entry.bytes)).toBe(true)
  }
  expect(await namesIn(at('out'))).toEqual(expected(image))
  await withBundle(at('out'), async (source) => {
    const read = await onlyImage(source)
    expect(new Set(await readWhole(source, read))).toEqual(
      new Set([...image.manifests, ...image.blobs].map(({descriptor}) => descriptor.digest)),
    )
  })
})

test('skopeo reads a dir: target, and writes the same', async (context) => {
  requireTool(context, 'skopeo')
  await write(multi, at('out'))
  expect(await skopeo(['inspect', '--raw', `dir:${at('out')}`])).toBe(multi.root.bytes.toString())
  await skopeo(['copy', '--quiet', '--all', `dir:${at('out')}`, `dir:${at('again')}`])
  expect(await namesIn(at('again'))).toEqual(await namesIn(at('out')))
})

test('an older image stays whole until the new image is complete, and is then removed', async () => {
  await write(multi, at('out'))
  await writeFile(at('out/signature-1'), 'of the old image')
  await writeFile(at('out/notes.txt'), 'of the owner')
  await write(one, at('out'), {finish: false})
  await withBundle(at('out'), async (source) => readWhole(source, await onlyImage(source)))
  await write(one, at('out'))
  expect(await namesIn(at('out'))).toEqual(new Set([...expected(one), 'notes.txt']))
})

test('an existing image is found, unless a part of it is missing', async () => {
  await write(one, at('out'))
  await using sink = await openFileSink({format: 'dir', path: at('out')})
  expect(await sink.resolve(target)).toMatchObject({digest: one.root.descriptor.digest})
  const {digest} = one.blobs[0]?.descriptor ?? one.root.descriptor
  await rm(join(at('out'), hexOf(digest)))
  expect(await sink.resolve(target)).toBeUndefined()
  expect(await sink.hasBlob('image', digest)).toBe(false)
})

test('a directory with other files is refused, but the remains of an interrupted run are not', async () => {
  await mkdir(at('home'))
  await writeFile(at('home/manifest.json'), '{}')
  const error = await errorOf(openFileSink({format: 'dir', path: at('home')}))
  expect(error).toMatchObject({code: 'USAGE', side: 'target'})
  await write(one, at('out'), {finish: false})
  await write(one, at('out'))
  expect(await namesIn(at('out'))).toEqual(expected(one))
})

test('links in a dir: target are replaced, not followed', async () => {
  await write(one, at('out'))
  const {digest} = one.blobs[0]?.descriptor ?? one.root.descriptor
  await writeFile(at('victim'), 'untouched')
  for (const name of [hexOf(digest), 'manifest.json']) {
    await rm(join(at('out'), name))
    await symlink(at('victim'), join(at('out'), name))
  }
  await write(one, at('out'))
  expect(await readFile(at('victim'), 'utf8')).toBe('untouched')
  expect((await readFile(at('out/manifest.json'))).equals(one.root.bytes)).toBe(true)
})
