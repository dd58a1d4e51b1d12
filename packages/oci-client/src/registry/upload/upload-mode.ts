import type {HostKnowledge} from '../../client/host-knowledge.js'

const KiB = 1024
const MiB = 1024 * KiB

/**
 * The way in which the bytes of a blob are sent. `chunks` and `whole` bound the body, `stream` is one PATCH of all
 * remaining bytes.
 */
export type UploadMode =
  {readonly kind: 'whole'} | {readonly kind: 'stream'} | {readonly kind: 'chunks'; readonly size: number}

/**
 * Up to this size a blob is read whole and is the body of the committing PUT: one request fewer, and it can be sent
 * again. This is nginx's default limit.
 */
export const WHOLE_MAX = MiB
/** Default size of a chunk: large enough to hide its round trip. */
const AUTO_CHUNK = 64 * MiB
/** A layer compressed on the way has no known length, so its chunks are in memory: at most this, times concurrency. */
export const BUFFERED_CHUNK = 16 * MiB
/** No body limit met in practice is lower. Below it a 413 has another cause, such as a quota. */
const CHUNK_FLOOR = 128 * KiB

/** @param remaining bytes still to send; undefined if only reading to the end tells */
export function uploadMode(
  host: HostKnowledge,
  {remaining, chunkSize}: {readonly remaining: number | undefined; readonly chunkSize: 'auto' | number},
): UploadMode {
  if (remaining !== undefined && isWhole(host, {remaining, chunkSize})) return {kind: 'whole'}
  const size = chunkOf(host, {chunkSize, buffered: remaining === undefined})
  if (size === undefined || (remaining !== undefined && remaining <= size)) return {kind: 'stream'}
  return {kind: 'chunks', size}
}

function isWhole(
  host: HostKnowledge,
  {remaining, chunkSize}: {readonly remaining: number; readonly chunkSize: 'auto' | number},
): boolean {
  if (host.bodyPut === 'broken') return false
  const asked = chunkSize === 'auto' || chunkSize === 0 ? WHOLE_MAX : chunkSize
  return remaining <= Math.min(WHOLE_MAX, asked, host.bodyMax ?? WHOLE_MAX)
}

function chunkOf(
  host: HostKnowledge,
  {chunkSize, buffered}: {readonly chunkSize: 'auto' | number; readonly buffered: boolean},
): number | undefined {
  if (host.chunks === 'broken' || chunkSize === 0) return undefined
  // Headers that merely say "registry v2" prove nothing: ECR and GAR send them too and take only one PATCH.
  const trusted = host.chunks === 'work' || host.chunkMin > 0 || host.bodyMax !== undefined
  if (chunkSize === 'auto' && !trusted) return undefined
  const wanted = Math.min(chunkSize === 'auto' ? AUTO_CHUNK : chunkSize, host.bodyMax ?? Infinity)
  const size = Math.max(buffered ? Math.min(wanted, BUFFERED_CHUNK) : wanted, host.chunkMin)
  return buffered && size > AUTO_CHUNK ? undefined : size
}

/** Returns the size to try after a body of `refused` bytes got a 413; undefined if smaller makes no sense. */
export function smallerBody(
  host: HostKnowledge,
  {refused, chunkSize}: {readonly refused: number; readonly chunkSize: 'auto' | number},
): number | undefined {
  const half = Math.min(Math.floor(refused / 2), AUTO_CHUNK, host.bodyMax ?? Infinity)
  const floor = Math.max(CHUNK_FLOOR, host.chunkMin)
  return chunkSize === 0 || host.chunks === 'broken' || half < floor ? undefined : half
}
