import {createHash} from 'node:crypto'
import {open, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {codeOf, isJsonObject, jsonShape, makeDirectory, messageOf} from '@airgap-mirror/oci-client/model'
import type {KnownTag, KnownTags} from '../engine/known-tags.js'
import {replaceFile} from '../files/write-atomically.js'
import {isTagKey, parseKnownTag} from './parse-known-tag.js'
import {discardOld} from './discard-old.js'
import {HEAD_BYTES, seal, unseal} from './sealed.js'

export interface TagLedgerOptions {
  /** `HOST[:PORT]` of the registry. */
  readonly target: string
  /** Called with the tags that are not saved and the reason, printable. */
  readonly onTrouble: (text: string) => void
  /** Default 200,000. */
  readonly maxTags?: number
  /** Default 128 MiB. */
  readonly maxBytes?: number
}

/** A registry of 10,000 images with twenty tags each. */
const MAX_TAGS = 200_000
/** At some 400 bytes a tag, and half of that again. */
const MAX_BYTES = 128 * 1024 * 1024
/** JSON values of one tag; most have ten. */
const VALUES = 20
const DEPTH = 8

/**
 * The tags of one registry, in one file that is read whole and replaced whole. It has no age: a job that runs once a year
 * prunes what it made the year before.
 *
 * More than 200,000 tags: those that come after are not remembered, which is told; they are then never removed, and drift is
 * not noticed in them. More than 128 MiB: nothing is remembered from then on and the file is removed, since one that is
 * behind the target would take our own tags for somebody else's. A file that is damaged is as good as none.
 * Never rejects.
 * @param directory of all ledgers
 */
export async function openTagLedger(directory: string, options: TagLedgerOptions): Promise<KnownTags> {
  const {target, onTrouble, maxTags = MAX_TAGS, maxBytes = MAX_BYTES} = options
  const path = join(directory, createHash('sha256').update(target).digest('hex'))
  const told = new Set<string>()
  const complain = (text: string): void => {
    if (told.has(text)) return
    told.add(text)
    onTrouble(text)
  }
  const tags = await load(path, {target, maxTags, maxBytes}).catch((error: unknown) => {
    complain(messageOf(error))
    return new Map<string, KnownTag>()
  })
  let isChanged = false
  let saving: Promise<Saved> = Promise.resolve('kept')

  const write = async (): Promise<Saved> => {
    if (!isChanged) return 'kept'
    isChanged = false
    try {
      const text = Buffer.from(JSON.stringify({tags: Object.fromEntries(tags)}))
      if (text.length > maxBytes) {
        await rm(path, {force: true})
        throw new Error(`it has become larger than ${maxBytes} bytes`)
      }
      await makeDirectory(directory, {mode: 0o700})
      await replaceFile(path, seal(target, text), {mode: 0o600, durable: true})
      await syncDirectory(directory)
      await discardOld(directory, {entries: Number.POSITIVE_INFINITY, maxAge: Number.POSITIVE_INFINITY})
      return 'kept'
    } catch (error) {
      isChanged = true
      complain(messageOf(error))
      return removed(path)
    }
  }

  return {
    get: (key) => tags.get(key),
    set: (key, tag) => {
      const before = tags.get(key)
      if (before === undefined && tags.size >= maxTags) {
        complain(`it holds ${maxTags} tags, and no more are remembered`)
        return
      }
      if (before !== undefined && textOf(before) === textOf(tag)) return
      tags.set(key, tag)
      isChanged = true
    },
    delete: (key) => {
      if (tags.delete(key)) isChanged = true
    },
    keys: () => [...tags.keys()],
    // Writes one after the other, because an earlier write must not replace a later one.
    save: () => {
      saving = saving.then(write)
      return saving
    },
  }
}

type Saved = Awaited<ReturnType<KnownTags['save']>>

/** Deletes a ledger that could not be replaced, so that the next run does not believe it. */
async function removed(path: string): Promise<Saved> {
  try {
    await rm(path, {force: true})
    return 'lost'
  } catch {
    // The caller warns of a stale ledger, whatever the reason.
    return 'stale'
  }
}

/** The same for equal tags, in any order of their fields. */
function textOf(tag: KnownTag): string {
  return JSON.stringify(tag, [
    'source',
    'sourceDigest',
    'digest',
    'intended',
    'how',
    'owners',
    'looked',
    'with',
  ] satisfies (keyof KnownTag)[])
}

interface LoadOptions {
  readonly target: string
  readonly maxTags: number
  readonly maxBytes: number
}

/** @throws {Error} why there is nothing to be had of a file that is there */
async function load(path: string, {target, maxTags, maxBytes}: LoadOptions): Promise<Map<string, KnownTag>> {
  const tags = new Map<string, KnownTag>()
  const sealed = await read(path, maxBytes + HEAD_BYTES)
  if (sealed === undefined) return tags
  const content = unseal(target, sealed)
  if (content === undefined) throw new Error('it is damaged')
  const {values, depth} = jsonShape(content)
  if (values > (maxTags + 1) * VALUES || depth > DEPTH) throw new Error('it is damaged')
  const json: unknown = JSON.parse(Buffer.from(content).toString('utf8'))
  const listed = isJsonObject(json) ? json['tags'] : undefined
  if (!isJsonObject(listed)) throw new Error('it is damaged')
  for (const [key, value] of Object.entries(listed)) {
    const tag = isTagKey(key) ? parseKnownTag(value) : undefined
    if (tag !== undefined && tags.size < maxTags) tags.set(key, tag)
  }
  return tags
}

async function read(path: string, limit: number): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path)
    const {size} = await file.stat()
    if (size > limit) throw new Error('it is too large')
    return await file.readFile()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Syncs the directory, because the record of what is intended must survive a power failure. */
async function syncDirectory(directory: string): Promise<void> {
  // Windows opens no directories, and needs none.
  if (process.platform === 'win32') return
  await using file = await open(directory)
  await file.sync()
}
