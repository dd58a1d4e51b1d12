import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {hexOf} from '@airgap-mirror/oci-client/model'
import {makeImage} from '@airgap-mirror/test/kit'
import {openFileSink} from '#src/index.js'
import {onlyImage, openLayout, transfer} from './write-kit.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-damage-'))
})
afterEach(() => rm(directory, {recursive: true, force: true}))

const image = await makeImage({seed: 'over-damage', platforms: ['linux/amd64', 'linux/arm64'], layers: 2})

async function write(format: 'oci' | 'dir', path: string): Promise<void> {
  await using source = await openLayout(await mkdtemp(join(directory, 'source-')), [{image}])
  await using sink = await openFileSink({
    format,
    path,
    annotations: ({tag}) => (tag === undefined ? undefined : {}),
  })
  await transfer(await onlyImage(source), {source, sink})
  await sink.finish()
}

/** Returns every file below a directory that is named by a digest, with its bytes. */
async function filesIn(path: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = await readdir(path, {recursive: true, withFileTypes: true})
  const files = names.filter((entry) => entry.isFile() && /^[0-9a-f]{64}/.test(entry.name))
  return new Map(
    await Promise.all(
      files.map(async ({parentPath, name}) => {
        const full = join(parentPath, name)
        return [full, await readFile(full)] as const
      }),
    ),
  )
}

test.each(['oci', 'dir'] as const)(
  'Files of the right size and other bytes in a directory (%s) are written again',
  async (format) => {
    const path = join(directory, 'out')
    await write(format, path)
    const before = await filesIn(path)
    expect(before.size).toBeGreaterThanOrEqual(image.blobs.length + image.platforms.length)
    for (const [full, bytes] of before) await writeFile(full, Buffer.alloc(bytes.length))
    await write(format, path)
    expect(await filesIn(path)).toEqual(before)
  },
)

test('A directory named like a digest stays where it is in a dir: target', async () => {
  const path = join(directory, 'out')
  await write('dir', path)
  const [blob] = image.blobs
  const name = hexOf(blob?.descriptor.digest ?? `sha256:${'0'.repeat(64)}`)
    .replace(/^./, 'f')
    .replace(/.$/, '0')
  await mkdir(join(path, name))
  await write('dir', path)
  expect(await readdir(path)).toContain(name)
})
