import {generateKeyPairSync, sign} from 'node:crypto'
import {open, readFile, rename, rm, writeFile} from 'node:fs/promises'
import {makeImage, runMirror} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {saveScene, type SaveScene} from './save.js'

const privateKeyEncoding = {type: 'pkcs8', format: 'pem'} as const
const publicKeyEncoding = {type: 'spki', format: 'pem'} as const

/** A scene with a pair of keys, `key.pem` and `key.pub`, and the public key of another pair. */
async function keyScene(): Promise<SaveScene & {readonly privateKey: string; readonly images: string}> {
  const scene = await saveScene()
  const keys = generateKeyPairSync('ec', {namedCurve: 'P-256', privateKeyEncoding, publicKeyEncoding})
  await scene.write('key.pem', keys.privateKey)
  await scene.write('key.pub', keys.publicKey)
  const others = generateKeyPairSync('ed25519', {privateKeyEncoding, publicKeyEncoding})
  await scene.write('other.pub', others.publicKey)
  const image = await makeImage({seed: 'verify-key', content: 'random', layerSize: 90_000, layers: 1})
  const images = await scene.list(await scene.add('team/app:v1', image))
  return Object.assign(scene, {privateKey: keys.privateKey, images})
}

async function flipBit(path: string, position: number): Promise<void> {
  await using file = await open(path, 'r+')
  const {buffer} = await file.read(Buffer.alloc(1), 0, 1, position)
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, position)
}

function writesTo({target}: SaveScene): readonly string[] {
  return target.requests
    .filter(({method}) => method !== 'GET' && method !== 'HEAD')
    .map(({method, path}) => `${method} ${path}`)
}

test('a push with --verify-key goes on if the signature holds, and else sends nothing', async () => {
  await using scene = await keyScene()
  const set = scene.path('set.tar.001')
  await scene.saved(scene.images, 'set.tar', ['--max-size', '64K', '--sign-key', scene.path('key.pem')])
  const refusal = async (key: string): Promise<string> => {
    const {code, stderr} = await scene.push(set, ['--verify-key', scene.path(key)])
    expect({code, sent: writesTo(scene)}).toEqual({code: 2, sent: []})
    return stderr
  }
  await flipBit(scene.path('set.tar.002'), 1000)
  expect(await refusal('key.pub')).toMatch(/set\.tar\.002 is (?:another file|not the volume)/)
  await flipBit(scene.path('set.tar.002'), 1000)
  expect(await refusal('other.pub')).toContain('is not a signature of')
  await rename(scene.path('set.tar.SHA256SUMS.sig'), scene.path('kept'))
  expect(await refusal('key.pub')).toContain('there is no signature')
  await rename(scene.path('kept'), scene.path('set.tar.SHA256SUMS.sig'))
  const good = await scene.push(set, ['--verify-key', scene.path('key.pub')])
  expect(good).toMatchObject({code: 0, stderr: expect.stringContaining('is a signature of')})
  expect(scene.at('team/app:v1')).toBeDefined()
})

test("a signed directory and Google's form of a signature are checked before a push", async () => {
  await using scene = await keyScene()
  const flags = ['--verify-key', scene.path('key.pub')]
  const directory = await scene.saved(scene.images, 'signed', ['--sign-key', scene.path('key.pem')])
  await writeFile(scene.path('signed/added'), 'x')
  expect(await scene.push(directory, flags)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('added'),
  })
  await rm(scene.path('signed/added'))
  expect(await scene.push(directory, flags)).toMatchObject({code: 0})
  const file = await scene.saved(scene.images, 'bmpackages_1.33.tar.xz')
  await rm(`${file}.SHA256SUMS`)
  await writeFile(`${file}.1.sig`, sign('sha256', await readFile(file), scene.privateKey))
  expect(await scene.push(file, flags)).toMatchObject({code: 0})
})

test('verify has --verify-key too, and no command takes it with standard input', async () => {
  await using scene = await keyScene()
  const bundle = await scene.saved(scene.images, 'b.tar', ['--sign-key', scene.path('key.pem')])
  const verify = (source: string, key: string) =>
    runMirror(['verify', '--source', source, '--verify-key', scene.path(key)], {home: scene.directory})
  expect(await verify(bundle, 'key.pub')).toMatchObject({code: 0})
  expect(await verify(bundle, 'other.pub')).toMatchObject({code: 2})
  expect(await verify(bundle, 'none.pub')).toMatchObject({code: 2})
  expect(await verify('-', 'key.pub')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('does not go with a bundle from standard input'),
  })
})
