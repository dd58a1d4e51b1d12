import {createHash} from 'node:crypto'
import {open, readFile, stat} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {
  cancelled,
  isMirrorError,
  limits,
  messageOf,
  MirrorError,
  type Bytes,
  type CallOptions,
} from '@airgap-mirror/oci-client/model'
import {bundleName, checksumsPath, parseChecksums, parseDirectoryChecksums} from '../volumes/checksums.js'
import {parseVolumeName} from '../volumes/volume-names.js'
import {findVolumes, type FindVolumesOptions} from '../volumes/volume-set.js'
import {filesBelow} from './files-below.js'
import type {SignatureKey} from './keys.js'
import {isSignatureOf, isSignatureOfStream} from './signature.js'

export interface VerifyBundleOptions extends CallOptions, FindVolumesOptions {
  readonly key: SignatureKey
}

const CHUNK_BYTES = 1024 * 1024

/**
 * Checks a bundle against the detached signature beside it: of its checksum file (`.SHA256SUMS.sig`), or of the bundle
 * itself (`.1.sig` as Google names it, `.sig`). Reads the whole bundle. @returns the signature's path
 * @throws {MirrorError} SIGNATURE_INVALID if it is missing or of other content, SOURCE_UNREADABLE, LIMIT_EXCEEDED
 */
export async function verifyBundle(path: string, options: VerifyBundleOptions): Promise<string> {
  const isDirectory = (await stat(path).catch(() => undefined))?.isDirectory() === true
  const bundle = isDirectory ? path.replace(/(?<=.)[/\\]+$/, '') : bundleName(path)
  const checksums = checksumsPath(bundle)
  if (await exists(`${checksums}.sig`)) {
    const text = await signedText(checksums, options)
    if (isDirectory) await verifyDirectory(bundle, text, options)
    else await verifyFiles(bundle, text, options)
    return `${checksums}.sig`
  }
  if (isDirectory) throw invalid(`there is no signature of ${path}: ${checksums}.sig`)
  for (const signature of [`${path}.1.sig`, `${path}.sig`]) {
    if (!(await exists(signature))) continue
    await verifyWhole(path, {...options, signature})
    return signature
  }
  throw invalid(`there is no signature beside ${path}, neither .SHA256SUMS.sig nor .1.sig nor .sig`)
}

/** Returns a checksum file's text once its signature holds. */
async function signedText(path: string, {key}: VerifyBundleOptions): Promise<string> {
  const text = await readSmall(path)
  const signature = await readSmall(`${path}.sig`)
  if (isSignatureOf(text, {signature, key})) return Buffer.from(text).toString('utf8')
  throw invalid(`${path}.sig is no signature of ${path} by this key`)
}

async function verifyFiles(bundle: string, text: string, options: VerifyBundleOptions): Promise<void> {
  const checksums = checksumsPath(bundle)
  const files = parseChecksums(text, checksums)
  const isOfBundle = (name: string): boolean =>
    name === basename(bundle) || parseVolumeName(name)?.name === basename(bundle)
  if (files.length === 0 || !files.every(({name}) => isOfBundle(name))) {
    throw invalid(`${checksums} is signed, and lists other files than those of ${bundle}`)
  }
  const found = await findVolumes(bundle, options).catch((error: unknown) => {
    throw isMirrorError(error) && error.code === 'SOURCE_CORRUPT' ? invalid(error.message) : error
  })
  const places = new Map(found?.volumes.map((volume) => [basename(volume.path), volume.path]))
  for (const {name, sha256} of files) {
    const file = places.get(name) ?? join(dirname(bundle), name)
    if ((await sha256Of(file, options)) !== sha256) throw other(file)
  }
}

/** A file that the list lacks is refused, because it could change the meaning of the directory. */
async function verifyDirectory(bundle: string, text: string, options: VerifyBundleOptions): Promise<void> {
  const signed = parseDirectoryChecksums(text, checksumsPath(bundle), basename(bundle))
  const found = await filesBelow(bundle, options)
  const stray = found.find((path) => !signed.has(path))
  if (stray !== undefined) throw invalid(`${join(bundle, stray)} is not among the files that were signed`)
  for (const [path, sha256] of signed) {
    const file = join(bundle, path)
    if ((await sha256Of(file, options)) !== sha256) throw other(file)
  }
}

async function sha256Of(file: string, options: CallOptions): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of bytesOf(file, options)) hash.update(chunk)
  return hash.digest('hex')
}

function other(file: string): MirrorError {
  return invalid(`${file} is another file than the one that was signed`)
}

async function verifyWhole(
  path: string,
  {key, signature, signal}: VerifyBundleOptions & {readonly signature: string},
): Promise<void> {
  if (key.algorithm !== 'ecdsa-p256') {
    throw invalid(`${signature} cannot be checked by an Ed25519 key: only signatures of checksum files can`)
  }
  const bytes = await readSmall(signature)
  if (await isSignatureOfStream(bytesOf(path, {signal}), {signature: bytes, key})) return
  throw invalid(`${signature} is no signature of ${path} by this key`)
}

async function* bytesOf(path: string, {signal}: CallOptions): Bytes {
  try {
    await using file = await open(path)
    for (;;) {
      if (signal?.aborted) throw cancelled(signal)
      const {bytesRead, buffer} = await file.read({buffer: Buffer.allocUnsafe(CHUNK_BYTES)})
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } catch (cause) {
    throw signal?.aborted === true ? cause : unreadable(path, cause)
  }
}

async function readSmall(path: string): Promise<Uint8Array> {
  try {
    const {size} = await stat(path)
    if (size <= limits.checksumsBytes) return await readFile(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
  throw new MirrorError('LIMIT_EXCEEDED', `${path} is over the limit of ${limits.checksumsBytes} bytes`, {
    side: 'source',
  })
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

function invalid(message: string): MirrorError {
  return new MirrorError('SIGNATURE_INVALID', message, {side: 'source', advice: {kind: 'refuse-unsigned'}})
}

function unreadable(path: string, cause: unknown): MirrorError {
  return new MirrorError('SOURCE_UNREADABLE', `cannot read ${path}: ${messageOf(cause)}`, {
    side: 'source',
    cause,
  })
}
