import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {mediaTypes, parseManifest, type Digest} from '@airgap-mirror/oci-client/model'
import {makeManifest, withTempDir} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'
import {Catalog} from '#src/commands/serve/content/catalog.js'
import {KeptImages} from '#src/commands/serve/writable/kept-images.js'
import {openWritable} from '#src/commands/serve/writable/open-writable.js'
import {parseContents} from '#src/server/contents.js'

const MANY = 20

function indexOf(...children: readonly ReturnType<typeof makeManifest>[]) {
  return makeManifest(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: children.map(({descriptor}) => descriptor),
      annotations: {children: String(children.length)},
    },
    {mediaType: mediaTypes.ociIndex},
  )
}

function parsed({bytes}: ReturnType<typeof makeManifest>) {
  return parseManifest(bytes)
}

/** Opens the layout in a directory as a server does when it starts. */
async function reopen(path: string) {
  const warnings: string[] = []
  const writable = await openWritable({
    path,
    catalog: new Catalog(),
    onWarning: (text) => void warnings.push(text),
  })
  const repository = () => writable.open('team/app')
  return {
    warnings,
    has: async (digest: Digest) => (await repository().manifest(digest)) !== undefined,
    tags: () => [...repository().tags()],
    remove: (digest: Digest) => repository().deleteManifest(digest),
    put: ({bytes, descriptor}: ReturnType<typeof makeManifest>, tag?: string) =>
      repository().putManifest({
        ...descriptor,
        bytes,
        contents: parseContents(bytes, descriptor.mediaType),
        tag,
      }),
    [Symbol.asyncDispose]: () => writable[Symbol.asyncDispose](),
  }
}

describe('a layout that takes pushes', () => {
  test('has every index after a restart, at any depth', () =>
    withTempDir(async (path) => {
      const chain = [indexOf()]
      for (let depth = 1; depth < MANY; depth++) chain.push(indexOf(...chain.slice(-1)))
      {
        await using server = await reopen(path)
        for (const [depth, index] of chain.entries())
          await server.put(index, depth === MANY - 1 ? 'v1' : undefined)
      }
      await using server = await reopen(path)
      for (const {descriptor} of chain) expect(await server.has(descriptor.digest)).toBe(true)
    }))

  test('has every tag of one image after a restart', () =>
    withTempDir(async (path) => {
      {
        await using server = await reopen(path)
        for (const tag of ['v1', 'v2']) await server.put(indexOf(), tag)
      }
      await using server = await reopen(path)
      expect(server.tags()).toEqual(['v1', 'v2'])
    }))

  test('has the children of a deleted index after a restart', () =>
    withTempDir(async (path) => {
      const child = indexOf()
      const parent = indexOf(child)
      {
        await using server = await reopen(path)
        await server.put(child)
        await server.put(parent, 'v1')
        expect(await server.remove(parent.descriptor.digest)).toBe(true)
      }
      await using server = await reopen(path)
      expect(await server.has(parent.descriptor.digest)).toBe(false)
      expect(await server.has(child.descriptor.digest)).toBe(true)
    }))

  test('warns of a damaged manifest, and takes it again', () =>
    withTempDir(async (path) => {
      const image = indexOf()
      const {digest, size} = image.descriptor
      const file = join(path, 'blobs/sha256', digest.slice('sha256:'.length))
      {
        await using server = await reopen(path)
        await server.put(image, 'v1')
      }
      await writeFile(file, Buffer.alloc(size))
      await using server = await reopen(path)
      expect(server.warnings).toEqual([expect.stringContaining('its manifest is missing or damaged')])
      expect(await server.has(digest)).toBe(false)
      await server.put(image, 'v1')
      expect(await server.has(digest)).toBe(true)
    }))
})

test('a layout whose index has annotations that are no text takes pushes', () =>
  withTempDir(async (path) => {
    await using server = await reopen(path)
    const image = indexOf()
    const annotations = {'io.containerd.image.name': 5}
    const entry = {...indexOf(image).descriptor, annotations}
    await writeFile(join(path, 'index.json'), JSON.stringify({schemaVersion: 2, manifests: [entry]}))
    await server.put(image, 'v1')
    const {manifests} = JSON.parse(await readFile(join(path, 'index.json'), 'utf8'))
    expect(manifests).toMatchObject([{annotations}, {digest: image.descriptor.digest}])
  }))

describe('the names of kept images', () => {
  const child = parsed(indexOf())
  const parent = parsed(indexOf(indexOf()))
  const named = ({
    add,
  }: {
    readonly add: readonly {readonly name: {readonly tag?: string; readonly digest?: string}}[]
  }) => add.map(({name}) => name.tag ?? name.digest)
  const make = () => new KeptImages({registry: 'quay.io', repository: 'team/app'})

  test('keep an image that lost its tag to another by its digest', () => {
    const images = make()
    images.put(child, 'v1')
    expect(named(images.put(parent, 'v2'))).toEqual(['v2'])
    images.put(child, 'other')
    const other = parsed(indexOf(indexOf(), indexOf()))
    images.put(other, 'v3')
    expect(named(images.put(child, 'v3'))).toEqual(['v3', other.descriptor.digest])
  })

  test('leave out what an index leads to, until the index is gone', () => {
    const images = make()
    expect(named(images.put(child, undefined))).toEqual([child.descriptor.digest])
    expect(images.put(parent, undefined).remove).toContainEqual(
      expect.objectContaining({digest: child.descriptor.digest}),
    )
    expect(named(images.put(child, undefined))).toEqual([])
    const gone = images.dropManifest(parent.descriptor.digest)
    expect(gone?.add.map(({name}) => name.digest)).toEqual([child.descriptor.digest])
    gone?.undo()
    expect(named(images.put(child, undefined))).toEqual([])
  })

  test('are as before if a change could not be written', () => {
    const images = make()
    images.put(parent, 'v1').undo()
    expect([...images.tags.keys(), ...images.manifests.keys()]).toEqual([])
    expect(named(images.put(child, undefined))).toEqual([child.descriptor.digest])
    images.put(child, 'v1')
    images.put(parent, 'v1').undo()
    expect(images.tags.get('v1')).toBe(child.descriptor.digest)
    images.dropTag('v1')?.undo()
    expect(images.tags.get('v1')).toBe(child.descriptor.digest)
  })
})
