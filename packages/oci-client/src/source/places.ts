import {isMirrorError, MirrorError, type Digest, type Place} from '../model/index.js'

/** Where the same content lies more often than this, the first ones do. */
const PLACES_KEPT = 4

/** Which repositories were seen to name a digest: a registry gives content out by repository. */
export class ContentPlaces {
  readonly #places = new Map<Digest, readonly Place[]>()

  of(digest: Digest): readonly Place[] {
    return this.#places.get(digest) ?? []
  }

  /** Lists are shared and not copied: a run knows a hundred thousand digests in a few thousand places. */
  add(digest: Digest, places: readonly Place[]): void {
    const known = this.#places.get(digest)
    if (known === places) return
    if (known === undefined) {
      this.#places.set(digest, places)
      return
    }
    const more = places.filter((place) => !known.some((other) => isSamePlace(place, other)))
    const room = Math.max(0, PLACES_KEPT - known.length)
    if (more.length > 0 && room > 0) this.#places.set(digest, [...known, ...more.slice(0, room)])
  }
}

export function isSamePlace(left: Place, right: Place): boolean {
  return left.registry === right.registry && left.repository === right.repository
}

/**
 * Asks one place after the other; undefined where none has it.
 * @throws {MirrorError} what kept a place from answering, where no other one has it
 */
export async function firstPlace<Where extends Place, Found>(
  places: readonly Where[],
  ask: (place: Where) => Promise<Found | undefined>,
): Promise<{readonly found: Found; readonly at: number} | undefined> {
  const failures: MirrorError[] = []
  for (const [at, place] of places.entries()) {
    try {
      const found = await ask(place)
      if (found !== undefined) return {found, at}
    } catch (error) {
      if (!isPlaceFailure(error)) throw error
      failures.push(error)
    }
  }
  if (failures.length === 0) return undefined
  throw togetherAs(failures)
}

/** Whether another place may do better: a run that ends, and bugs, are the same everywhere. */
export function isPlaceFailure(error: unknown): error is MirrorError {
  return isMirrorError(error) && error.code !== 'CANCELLED'
}

/** What is told of several places that failed: each one's reason, the last one's code, since it is the image's own registry. */
export function togetherAs(failures: readonly MirrorError[]): MirrorError {
  const last = failures.at(-1)
  if (last === undefined) return new MirrorError('NOT_FOUND', 'there is no place to fetch it from', SOURCE)
  if (failures.length === 1) return last
  return new MirrorError(last.code, failures.map(({message}) => message).join('; '), {
    ...SOURCE,
    advice: last.advice,
    cause: last,
  })
}

const SOURCE = {side: 'source'} as const
