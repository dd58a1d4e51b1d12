import {isDigest, isJsonObject, isRepository, isTag} from '@airgap-mirror/oci-client/model'
import type {KnownTag} from '../engine/known-tags.js'

/** References end at 1024 characters, and the choices of a job are a line. */
const LENGTH = 1024
/** Jobs that want one tag; digests that one run after the other was about to put there. */
const ENTRIES = 1000

/** `repository:tag` or `repository@digest`. */
export function isTagKey(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > LENGTH) return false
  const at = text.indexOf('@')
  if (at >= 0) return isRepository(text.slice(0, at)) && isDigest(text.slice(at + 1))
  const colon = text.lastIndexOf(':')
  return colon >= 0 && isRepository(text.slice(0, colon)) && isTag(text.slice(colon + 1))
}

/**
 * Fields that are not known or make no sense are left out.
 * @returns undefined if a member that every tag has is missing or makes no sense
 */
export function parseKnownTag(json: unknown): KnownTag | undefined {
  if (!isJsonObject(json)) return undefined
  const {source, sourceDigest, digest, intended, how, owners, looked} = json
  if (!isText(source) || !isDigest(sourceDigest) || !isText(how) || !isList(owners)) return undefined
  const named = json['with']
  const tag: Writable<KnownTag> = {source, sourceDigest, how, owners: owners.filter(isText)}
  // Not by spreading, which takes longer than everything else: there are tens of thousands.
  if (isDigest(digest)) tag.digest = digest
  if (isList(intended)) tag.intended = intended.filter(isDigest)
  if (isPast(looked)) tag.looked = looked
  const parents = isList(named) ? named.filter(isTagKey) : []
  if (parents.length > 0) tag.with = parents
  return tag
}

type Writable<Value> = {-readonly [Field in keyof Value]: Value[Field]}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LENGTH
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= ENTRIES
}

/** A time to come would keep from looking until then. */
function isPast(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Date.now()
}
