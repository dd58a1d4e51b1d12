import {copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {makeImage, runChild} from '@airgap-mirror/test/kit'
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest'
import {openBundle} from '#src/index.js'
import {checksumsPath} from '#src/volumes/checksums.js'
import {errorOf, readWhole, rootDigests} from './fixtures/opened.js'
import {save} from './save-kit.js'

const image = await makeImage({
  seed: 'volumes',
  compression: 'none',
  content: 'random',
  layerSize: 700_000,
  layers: 4,
})

let made: string
let directory: string
beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'mirror-volumes-'))
  for (const codec of ['plain', 'xz'] as const) {
    const output = {kind: 'file', path: join(made, `set.${codec}`)} as const
    const images = [{image, name: 'docker.io/library/app:v1'}]
    await save(output, images, {directory: made, codec, maxSize: 1_000_000})
  }
})
afterAll(() => rm(made, {recursive: true, force: true}))
beforeEach(async () => {
  directory = await mkdtemp(join(made, 'case-'))
  for (const codec of ['plain', 'xz']) {
    for (const end of ['001', '002', '003', 'SHA256SUMS']) {
      await copyFile(join(made, `set.${codec}.${end}`), join(directory, `set.${codec}.${end}`))
    }
  }
})

function at(name: string): string {
  return join(directory, name)
}

/** Reads a whole bundle. @returns the digests of its images */
async function readImages(path: string, options = {}): Promise<readonly string[]> {
  await using source = await openBundle(path, options)
  const read = await source.images()
  for (const each of read) await readWhole(source, each)
  return rootDigests(read)
}

const whole = [image.root.descriptor.digest]

test.each(['plain', 'xz'])(
  'a set of %s volumes is read by any of them, and by its name alone',
  async (codec) => {
    for (const name of [`set.${codec}.001`, `set.${codec}.003`, `set.${codec}`])
      expect(await readImages(at(name))).toEqual(whole)
  },
)

test('a set without its checksums is read, too', async () => {
  await rm(checksumsPath(at('set.xz')))
  expect(await readImages(at('set.xz.001'))).toEqual(whole)
})

test('checksums that sha256sum made itself will do', async () => {
  await runChild('bash', ['-c', 'sha256sum set.xz.00? > set.xz.SHA256SUMS'], {cwd: directory})
  expect(await readImages(at('set.xz.001'))).toEqual(whole)
})

test.each(['with', 'without'])('a missing volume is named, %s checksums', async (kind) => {
  if (kind === 'without') await rm(checksumsPath(at('set.xz')))
  await rm(at('set.xz.002'))
  const error = await errorOf(openBundle(at('set.xz.001')))
  expect(error).toMatchObject({code: 'SOURCE_UNREADABLE', side: 'source'})
  expect(error.message).toContain('the volume set.xz.002 of')
})

test('a missing last volume is named by the checksums', async () => {
  await rm(at('set.xz.003'))
  const error = await errorOf(openBundle(at('set.xz.001')))
  expect(error.message).toContain('the volume set.xz.003 of')
})

test('two volumes that were swapped are named, though both have the right size', async () => {
  await rename(at('set.plain.001'), at('kept'))
  await rename(at('set.plain.002'), at('set.plain.001'))
  await rename(at('kept'), at('set.plain.002'))
  const error = await errorOf(openBundle(at('set.plain')))
  expect(error.code).toBe('SOURCE_CORRUPT')
  expect(error.message).toMatch(/set\.plain\.001 is not the volume .* it begins as set\.plain\.002/)
})

test('a volume that was cut short is named with its size', async () => {
  await writeFile(at('set.xz.002'), (await readFile(at('set.xz.002'))).subarray(0, 900_000))
  const error = await errorOf(openBundle(at('set.xz.001')))
  expect(error.message).toContain('of its bundle: it has 900000 bytes instead of 1000000')
})

test('a volume on another disk is asked for, until it is found or given up', async () => {
  await mkdir(at('disk'))
  await rename(at('set.xz.002'), at('disk/set.xz.002'))
  const asked: string[] = []
  const answers = [at('empty'), at('disk')]
  const locateVolume = async (name: string): Promise<string | undefined> => {
    asked.push(name)
    return answers.shift()
  }
  expect(await readImages(at('set.xz.001'), {locateVolume})).toEqual(whole)
  expect(asked).toEqual(['set.xz.002', 'set.xz.002'])
  expect(await errorOf(openBundle(at('set.xz.001'), {locateVolume}))).toMatchObject({
    code: 'SOURCE_UNREADABLE',
  })
})

test('a file whose name ends like a volume and that stands alone is read as it is', async () => {
  await save({kind: 'file', path: at('alone.001')}, [{image, name: 'docker.io/library/app:v1'}], {directory})
  expect(await readImages(at('alone.001'))).toEqual(whole)
})

test('a line that is no checksum is shown', async () => {
  await writeFile(at('set.xz.SHA256SUMS'), 'hello\n')
  const error = await errorOf(openBundle(at('set.xz.001')))
  expect(error).toMatchObject({code: 'SOURCE_CORRUPT'})
  expect(error.message).toContain('"hello"')
})

test('a checksum file cannot lead out of its directory', async () => {
  await writeFile(at('set.xz.SHA256SUMS'), `${'0'.repeat(64)}  ../set.xz.001\n`)
  expect(await errorOf(openBundle(at('set.xz.001')))).toMatchObject({code: 'SOURCE_CORRUPT'})
})

test.each(['set.plain.002', 'set.plain.SHA256SUMS'])(
  'a pipe in the place of %s is refused, not waited for',
  async (name) => {
    await rm(at(name))
    await runChild('mkfifo', [at(name)])
    expect(await errorOf(openBundle(at('set.plain.001')))).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: `cannot read ${at(name)}: it is not a plain file`,
    })
  },
)
