import {isMirrorError, MirrorError, type Digest, type Place} from '../model/index.js'

/** Only the first places of the same content are kept. */
const PLACES_KEPT = 4

/** Repositories that were seen to name a digest, because a registry serves content by repository. */
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
 * Asks one place after the other; undefined if none has it.
 * @throws {MirrorError} the failure of a place, if no other has it
 */
export async function firstPlace<Where extends Place, Found>(
  places: readonly Where[],
  ask: (place: Where) => Promise<Found | undefined>,
): Promise<{readonly found: Found; readonly index: number} | undefined> {
  const failures: MirrorError[] = []
  for (const [index, place] of places.entries()) {
    try {
      const found = await ask(place)
      if (found !== undefined) return {found, index}
    } catch (error) {
      if (!isPlaceFailure(error)) throw error
      failures.push(error)
    }
  }
  if (failures.length === 0) return undefined
  throw togetherAs(failures)
}

/** Returns true if another place may succeed. A cancellation or a bug is the same everywhere. */
export function isPlaceFailure(error: unknown): error is MirrorError {
  return isMirrorError(error) && error.code !== 'CANCELLED'
}

/**
 * Returns one error for several failed places: the reasons of all, the code of the last, which is the image's own
 * registry.
 */
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
