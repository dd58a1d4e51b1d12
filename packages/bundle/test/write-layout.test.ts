import {mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {hexOf} from '@airgap-mirror/oci-client/model'
import {makeImage, requireTool, runChild, skopeo, type TestImage} from '@airgap-mirror/test/kit'
import {openFileSink, type FileSink} from '#src/index.js'
import {errorOf, readWhole} from './fixtures/opened.js'
import {onlyImage, openLayout, REF_NAME, target, transfer, withBundle} from './write-kit.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-write-'))
})
afterEach(() => rm(directory, {recursive: true, force: true}))

function at(name: string): string {
  return join(directory, name)
}
function named(ref: string): Readonly<Record<string, string>> {
  return {[REF_NAME]: ref}
}

/** Writes a whole image under a name. */
async function write(
  image: TestImage,
  {path, format = 'oci', ref}: {path: string; format?: 'oci' | 'oci-archive'; ref?: string},
): Promise<void> {
  await using source = await openLayout(await mkdtemp(at('source-')), [{image}])
  await using sink = await openFileSink({
    format,
    path,
    annotations: ({tag}) => (tag === undefined ? undefined : ref === undefined ? {} : named(ref)),
  })
  await transfer(await onlyImage(source), {source, sink})
  await sink.finish()
}

async function indexOf(path: string): Promise<readonly {digest: string; annotations?: object}[]> {
  return (JSON.parse(await readFile(join(path, 'index.json'), 'utf8')) as {manifests: {digest: string}[]})
    .manifests
}

const multi = await makeImage({seed: 'write-multi', platforms: ['linux/amd64', 'linux/arm64'], layers: 3})
const one = await makeImage({seed: 'write-one', layers: 2})
const docker = await makeImage({seed: 'write-docker', format: 'docker'})

describe.each(['oci', 'oci-archive'] as const)('%s', (format) => {
  test.each([
    ['an index of two platforms', multi],
    ['a Docker image', docker],
  ])('keeps every byte of %s', async (_, image) => {
    await write(image, {path: at('out'), format, ref: 'v1'})
    await withBundle(at('out'), async (source) => {
      const read = await onlyImage(source)
      expect(read).toMatchObject({shownAs: 'v1', root: {manifest: {digest: image.root.descriptor.digest}}})
      const expected = [...image.manifests, ...image.blobs].map(({descriptor}) => descriptor.digest)
      expect(new Set(await readWhole(source, read))).toEqual(new Set(expected))
    })
  })

  test('is read by skopeo, which finds the same digests', async (context) => {
    requireTool(context, 'skopeo')
    await write(multi, {path: at('out'), format, ref: 'team/app:v1'})
    expect(await skopeo(['inspect', '--raw', `${format}:${at('out')}:team/app:v1`])).toBe(
      multi.root.bytes.toString(),
    )
    await skopeo(['copy', '--quiet', '--all', `${format}:${at('out')}:team/app:v1`, `dir:${at('dir')}`])
    expect(new Set(await readdir(at('dir')))).toEqual(
      new Set([
        'version',
        'manifest.json',
        ...multi.blobs.map(({descriptor}) => hexOf(descriptor.digest)),
        ...multi.platforms.map(({manifest}) => `${hexOf(manifest.descriptor.digest)}.manifest.json`),
      ]),
    )
  })

  test('leaves nothing under its name when it is not finished', async () => {
    await using source = await openLayout(directory, [{image: one}])
    const sink = await openFileSink({format, path: at('out'), annotations: () => ({})})
    await transfer(await onlyImage(source), {source, sink})
    await sink[Symbol.asyncDispose]()
    const left = await readdir(directory, {recursive: true})
    expect(left.filter((name) => name.startsWith('out') && name.endsWith('.json'))).toEqual([])
    expect(left.filter((name) => name.startsWith('.'))).toEqual([])
    expect(left.includes('out')).toBe(format === 'oci')
  })

  test('creates nothing if nothing was put', async () => {
    await using sink = await openFileSink({format, path: at('out'), annotations: () => ({})})
    expect(await sink.resolve(target)).toBeUndefined()
    expect(await sink.hasBlob('image', one.root.descriptor.digest)).toBe(false)
    await sink.finish()
    expect(await readdir(directory)).toEqual([])
  })
})

describe('an existing OCI layout', () => {
  test('keeps its other images, and its entry of the same name is replaced', async () => {
    await write(one, {path: at('out'), ref: 'one'})
    await write(docker, {path: at('out'), ref: 'app'})
    await write(multi, {path: at('out'), ref: 'app'})
    expect(await indexOf(at('out'))).toMatchObject([
      {digest: one.root.descriptor.digest, annotations: named('one')},
      {digest: multi.root.descriptor.digest, annotations: named('app')},
    ])
  })

  test('gives a name to an image that had none', async () => {
    await write(one, {path: at('out')})
    await write(one, {path: at('out'), ref: 'one'})
    expect(await indexOf(at('out'))).toHaveLength(1)
    expect(await indexOf(at('out'))).toMatchObject([{annotations: named('one')}])
  })

  test('keeps its complete blobs, and a truncated blob is written again', async () => {
    await write(one, {path: at('out'), ref: 'one'})
    const files = one.blobs.map(({descriptor}) => join(at('out'), 'blobs/sha256', hexOf(descriptor.digest)))
    const [kept = '', cut = ''] = files
    await writeFile(cut, 'cut')
    const before = await stat(kept)
    await using source = await openLayout(directory, [{image: one}])
    await using sink = await openFileSink({format: 'oci', path: at('out'), annotations: () => named('one')})
    expect(await sink.resolve(target)).toBeUndefined()
    const outcomes = await Promise.all(
      one.blobs.map(({descriptor}) => sink.putBlob('image', source.blob(descriptor))),
    )
    expect(outcomes.filter(({how}) => how === 'uploaded')).toHaveLength(1)
    expect((await stat(kept)).ino).toBe(before.ino)
    expect(await sink.resolve(target)).toEqual({...one.root.descriptor, platform: undefined})
  })

  test('keeps other fields and entries of index.json', async () => {
    await write(one, {path: at('out'), ref: 'one'})
    const index = JSON.parse(await readFile(at('out/index.json'), 'utf8')) as object
    await writeFile(at('out/index.json'), JSON.stringify({...index, annotations: {mine: 'yes'}}))
    await write(docker, {path: at('out'), ref: 'docker'})
    expect(JSON.parse(await readFile(at('out/index.json'), 'utf8'))).toMatchObject({
      annotations: {mine: 'yes'},
      manifests: [{}, {}],
    })
  })

  test('is not written through a link that leads out of it', async () => {
    await write(one, {path: at('out'), ref: 'one'})
    await rm(at('out/blobs'), {recursive: true})
    await mkdir(at('elsewhere'))
    await symlink(at('elsewhere'), at('out/blobs'))
    expect(await errorOf(write(docker, {path: at('out'), ref: 'docker'}))).toMatchObject({
      code: 'USAGE',
      side: 'target',
    })
    expect(await readdir(at('elsewhere'))).toEqual([])
  })

  test('is refused if it is damaged, or not a layout', async () => {
    const open = (name: string): Promise<FileSink> =>
      openFileSink({format: 'oci', path: at(name), annotations: () => named('one')})
    await writeFile(at('file'), '')
    expect((await errorOf(open('file'))).message).toContain('is not a directory')
    await mkdir(at('home'))
    await writeFile(at('home/thesis.txt'), 'important')
    expect((await errorOf(open('home'))).message).toContain('holds more than')
    await write(one, {path: at('out'), ref: 'one'})
    await writeFile(at('out/index.json'), '{"manifests": 5}')
    await using sink = await open('out')
    expect(await errorOf(sink.resolve(target))).toMatchObject({code: 'MANIFEST_INVALID', side: 'target'})
  })
})

describe('an oci-archive', () => {
  test('replaces an existing archive, also through a link', async () => {
    await write(one, {path: at('real'), format: 'oci-archive'})
    await symlink(at('real'), at('link'))
    await write(docker, {path: at('link'), format: 'oci-archive'})
    await withBundle(at('real'), async (source) =>
      expect((await onlyImage(source)).root).toMatchObject({
        manifest: {digest: docker.root.descriptor.digest},
      }),
    )
  })

  test('is a tar that GNU tar lists, the same for the same image', async (context) => {
    requireTool(context, 'tar')
    await write(multi, {path: at('one'), format: 'oci-archive', ref: 'v1'})
    await write(multi, {path: at('two'), format: 'oci-archive', ref: 'v1'})
    expect((await readFile(at('one'))).equals(await readFile(at('two')))).toBe(true)
    const {code, stdout, stderr} = await runChild('tar', ['-tf', at('one')])
    expect({code, stderr}).toEqual({code: 0, stderr: ''})
    const names = stdout.trim().split('\n')
    expect(names[0]).toBe('oci-layout')
    expect(names.at(-1)).toBe('index.json')
    expect(names).toHaveLength(2 + multi.blobs.length + multi.manifests.length)
  })

  test('cannot be made without a parent directory, nor in place of a directory', async () => {
    const open = (path: string): Promise<FileSink> =>
      openFileSink({format: 'oci-archive', path: at(path), annotations: () => ({})})
    await mkdir(at('directory'))
    expect((await errorOf(open('directory'))).message).toContain('is a directory')
    await using source = await openLayout(directory, [{image: one}])
    await using sink = await open('no/such/place')
    const error = await errorOf(transfer(await onlyImage(source), {source, sink}))
    expect(error).toMatchObject({code: 'WRITE_FAILED', side: 'target'})
  })
})
