import {generateKeyPairSync, sign} from 'node:crypto'
import {mkdir, mkdtemp, open, rename, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {makeImage, runChild} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {parsePrivateKey, parsePublicKey, verifyBundle} from '#src/index.js'
import {errorOf} from './fixtures/opened.js'
import {save} from './save-kit.js'

const image = await makeImage({seed: 'signature', compression: 'none', layers: 1})
const images = [{image, name: 'docker.io/library/app:v1'}]

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-signature-'))
})
afterEach(() => rm(directory, {recursive: true, force: true}))

function at(name: string): string {
  return join(directory, name)
}

interface KeyFiles {
  readonly privateKey: string
  readonly publicKey: string
}

async function makeKeys(kind: 'ecdsa-p256' | 'ed25519', name = 'key'): Promise<KeyFiles> {
  const privateKeyEncoding = {type: 'pkcs8', format: 'pem'} as const
  const publicKeyEncoding = {type: 'spki', format: 'pem'} as const
  const keys =
    kind === 'ed25519'
      ? generateKeyPairSync('ed25519', {privateKeyEncoding, publicKeyEncoding})
      : generateKeyPairSync('ec', {namedCurve: 'P-256', privateKeyEncoding, publicKeyEncoding})
  await writeFile(at(`${name}.pub`), keys.publicKey)
  return keys
}

async function flip(path: string, position: number): Promise<void> {
  await using file = await open(path, 'r+')
  const {buffer} = await file.read(Buffer.alloc(1), 0, 1, position)
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, position)
}

async function saveSigned(keys: KeyFiles, options = {}): Promise<void> {
  const signKey = parsePrivateKey(keys.privateKey, 'key')
  await save({kind: 'file', path: at('b.tar')}, images, {directory, signKey, ...options})
}

const OPENSSL = {
  'ecdsa-p256': 'openssl dgst -sha256 -verify key.pub -signature b.tar.SHA256SUMS.sig b.tar.SHA256SUMS',
  ed25519:
    'openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in b.tar.SHA256SUMS -sigfile b.tar.SHA256SUMS.sig',
} as const

test.each(['ecdsa-p256', 'ed25519'] as const)('openssl checks the signature of an %s key', async (kind) => {
  const keys = await makeKeys(kind)
  await saveSigned(keys)
  const script = `${OPENSSL[kind]} && sha256sum -c b.tar.SHA256SUMS`
  const {code, stdout} = await runChild('bash', ['-ec', script], {cwd: directory})
  expect({code, stdout}).toEqual({code: 0, stdout: expect.stringMatching(/Verif.*\nb\.tar: OK/s)})
})

test.each(['ecdsa-p256', 'ed25519'] as const)('a flipped bit is found with an %s key', async (kind) => {
  const keys = await makeKeys(kind)
  const key = parsePublicKey(keys.publicKey, 'key')
  await saveSigned(keys, {maxSize: 8192})
  expect(await verifyBundle(at('b.tar.001'), {key})).toBe(at('b.tar.SHA256SUMS.sig'))
  for (const name of ['b.tar.001', 'b.tar.002', 'b.tar.SHA256SUMS', 'b.tar.SHA256SUMS.sig']) {
    await flip(at(name), 40)
    expect(await errorOf(verifyBundle(at('b.tar'), {key}))).toMatchObject({code: 'SIGNATURE_INVALID'})
    await flip(at(name), 40)
  }
  expect(await verifyBundle(at('b.tar.002'), {key})).toBe(at('b.tar.SHA256SUMS.sig'))
})

async function saveSignedDirectory(): Promise<KeyFiles> {
  const keys = await makeKeys('ecdsa-p256')
  const signKey = parsePrivateKey(keys.privateKey, 'key')
  await save({kind: 'directory', path: at('b')}, images, {directory, signKey})
  return keys
}

test('openssl and sha256sum check a signed directory', async () => {
  await saveSignedDirectory()
  const script =
    'openssl dgst -sha256 -verify key.pub -signature b.SHA256SUMS.sig b.SHA256SUMS && sha256sum --quiet -c b.SHA256SUMS'
  const {code, stdout} = await runChild('bash', ['-ec', script], {cwd: directory})
  expect({code, stdout}).toEqual({code: 0, stdout: 'Verified OK\n'})
})

test('in a signed directory a flipped bit, a missing, an added and a linked file are found', async () => {
  const key = parsePublicKey((await saveSignedDirectory()).publicKey, 'key')
  expect(await verifyBundle(at('b'), {key})).toBe(at('b.SHA256SUMS.sig'))
  expect(await verifyBundle(`${at('b')}/`, {key})).toBe(at('b.SHA256SUMS.sig'))
  const refusal = async (): Promise<string> => (await errorOf(verifyBundle(at('b'), {key}))).message
  await flip(at('b/index.json'), 10)
  expect(await refusal()).toContain('index.json is not the file that was signed')
  await flip(at('b/index.json'), 10)
  await writeFile(at('b/manifest.json'), '[]')
  expect(await refusal()).toContain('manifest.json is not among the files that were signed')
  await rm(at('b/manifest.json'))
  await rename(at('b/oci-layout'), at('oci-layout'))
  expect(await refusal()).toContain('cannot read')
  await symlink(at('oci-layout'), at('b/oci-layout'))
  expect(await refusal()).toContain('oci-layout is not a plain file')
})

test('a signed list of a directory cannot lead out of it', async () => {
  const keys = await saveSignedDirectory()
  const list = `${'0'.repeat(64)}  b/../secret\n`
  await writeFile(at('b.SHA256SUMS'), list)
  await writeFile(at('b.SHA256SUMS.sig'), sign('sha256', Buffer.from(list), keys.privateKey))
  const error = await errorOf(verifyBundle(at('b'), {key: parsePublicKey(keys.publicKey, 'key')}))
  expect(error).toMatchObject({code: 'SOURCE_CORRUPT'})
})

test('a signed volume on another disk is asked for', async () => {
  const keys = await makeKeys('ed25519')
  await saveSigned(keys, {maxSize: 8192})
  await mkdir(at('disk'))
  await rename(at('b.tar.002'), at('disk/b.tar.002'))
  const key = parsePublicKey(keys.publicKey, 'key')
  const locateVolume = async (): Promise<string> => at('disk')
  expect(await verifyBundle(at('b.tar.001'), {key, locateVolume})).toBe(at('b.tar.SHA256SUMS.sig'))
  await flip(at('disk/b.tar.002'), 40)
  const refused = verifyBundle(at('b.tar.001'), {key, locateVolume})
  expect(await errorOf(refused)).toMatchObject({code: 'SIGNATURE_INVALID'})
})

test('the signature of another key is refused', async () => {
  await saveSigned(await makeKeys('ecdsa-p256'))
  const key = parsePublicKey((await makeKeys('ecdsa-p256', 'other')).publicKey, 'other')
  expect(await errorOf(verifyBundle(at('b.tar'), {key}))).toMatchObject({code: 'SIGNATURE_INVALID'})
})

test('signed checksums of other files are refused: they say nothing of this bundle', async () => {
  const keys = await makeKeys('ecdsa-p256')
  await saveSigned(keys)
  await runChild('bash', ['-ec', 'for f in b.tar*; do cp $f evil${f#b}; done'], {cwd: directory})
  const error = await errorOf(verifyBundle(at('evil.tar'), {key: parsePublicKey(keys.publicKey, 'key')}))
  expect(error.message).toContain('does not list the files')
})

test('a file that no signature covers is refused beside signed volumes of its name', async () => {
  const keys = await makeKeys('ecdsa-p256')
  const key = parsePublicKey(keys.publicKey, 'key')
  await saveSigned(keys, {maxSize: 8192})
  await writeFile(at('b.tar'), 'of another')
  expect(await verifyBundle(at('b.tar.001'), {key})).toBe(at('b.tar.SHA256SUMS.sig'))
  expect(await errorOf(verifyBundle(at('b.tar'), {key}))).toMatchObject({
    code: 'SIGNATURE_INVALID',
    message: `${at('b.tar')} is not among the files that were signed`,
  })
})

test('a volume that no signature covers is refused beside a signed file of its name', async () => {
  const keys = await makeKeys('ecdsa-p256')
  const key = parsePublicKey(keys.publicKey, 'key')
  await saveSigned(keys)
  await writeFile(at('b.tar.001'), 'of another')
  const refused = expect.stringContaining('b.tar.001 is not among the files that were signed')
  expect(await errorOf(verifyBundle(at('b.tar.001'), {key}))).toMatchObject({message: refused})
  await writeFile(at('b.tar.001.sig'), sign('sha256', Buffer.from('of another'), keys.privateKey))
  await writeFile(at('b.tar.002'), 'of another')
  await rm(at('b.tar.SHA256SUMS.sig'))
  await rm(at('b.tar.SHA256SUMS'))
  expect(await errorOf(verifyBundle(at('b.tar.001'), {key}))).toMatchObject({
    code: 'SIGNATURE_INVALID',
    message: expect.stringContaining('b.tar.001.sig says nothing of'),
  })
})

test('a bundle without a signature is refused', async () => {
  await save({kind: 'file', path: at('b.tar')}, images, {directory})
  const key = parsePublicKey((await makeKeys('ed25519')).publicKey, 'key')
  expect(await errorOf(verifyBundle(at('b.tar'), {key}))).toMatchObject({code: 'SIGNATURE_INVALID'})
})

test('a bundle saved again without a key keeps no signature of the older one', async () => {
  const keys = await makeKeys('ecdsa-p256')
  await saveSigned(keys)
  await save({kind: 'file', path: at('b.tar')}, images, {directory})
  const error = await errorOf(verifyBundle(at('b.tar'), {key: parsePublicKey(keys.publicKey, 'key')}))
  expect(error.message).toContain('there is no signature')
})

test("Google's form, a signature of the file itself, is checked as a stream", async () => {
  const keys = await makeKeys('ecdsa-p256')
  const key = parsePublicKey(keys.publicKey, 'key')
  const bytes = Buffer.alloc(3_000_000, 7)
  await writeFile(at('bmpackages.tar.xz'), bytes)
  await writeFile(at('bmpackages.tar.xz.1.sig'), sign('sha256', bytes, keys.privateKey))
  expect(await verifyBundle(at('bmpackages.tar.xz'), {key})).toBe(at('bmpackages.tar.xz.1.sig'))
  await flip(at('bmpackages.tar.xz'), 2_999_999)
  expect(await errorOf(verifyBundle(at('bmpackages.tar.xz'), {key}))).toMatchObject({
    code: 'SIGNATURE_INVALID',
  })
})

test("Google's key is read as its page shows it, with a space inside", () => {
  const body =
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWZrGCUaJJr1H8a36sG4UUoXvlXvZ\nwQfk16sxprI2gOJ2vFFggdq3ixF2h4qNBt0kI7ciDhgpwS8t+/960IsIgw ==\n'
  const pem = `-----BEGIN PUBLIC KEY-----\n${body}-----END PUBLIC KEY-----\n`
  expect(parsePublicKey(pem, 'google.pem').algorithm).toBe('ecdsa-p256')
})

test('other keys are refused, with their kind', async () => {
  const rsa = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: {type: 'pkcs8', format: 'pem'},
    publicKeyEncoding: {type: 'spki', format: 'pem'},
  })
  const parse = async (): Promise<unknown> => parsePrivateKey(rsa.privateKey, 'rsa.pem')
  expect(await errorOf(parse())).toMatchObject({
    code: 'KEY_INVALID',
    message: 'rsa.pem holds a key of another kind: rsa',
  })
  const ec = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: {type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret'},
    publicKeyEncoding: {type: 'spki', format: 'pem'},
  })
  for (const [pem, why] of [
    [ec.privateKey, 'an encrypted key, and no passphrase is asked for'],
    [ec.publicKey, 'a public key, and only a private key can sign'],
  ] as const) {
    const read = async (): Promise<unknown> => parsePrivateKey(pem, 'ec.pem')
    expect(await errorOf(read())).toMatchObject({code: 'KEY_INVALID', message: `ec.pem holds ${why}`})
  }
  const none = async (): Promise<unknown> => parsePublicKey('no key', 'none.pem')
  expect(await errorOf(none())).toMatchObject({code: 'KEY_INVALID'})
})
