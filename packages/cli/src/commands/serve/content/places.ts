import {canonicalRegistry, isMirrorError, parseReference, type Place} from '@airgap-mirror/oci-client/model'

/** Repositories by registry and path, and the rules by which a request finds them. */
export class Places<Value extends Place> {
  readonly #byKey = new Map<string, Value>()
  /** In the order in which a request without a registry finds them: Docker Hub's first. */
  readonly #byPath = new Map<string, Value[]>()

  /** The repositories, Docker Hub's first. */
  get all(): readonly Value[] {
    return [...this.#byKey.values()].toSorted(byOrder)
  }

  get size(): number {
    return this.#byKey.size
  }

  /** Returns the repository of a place, which `make` makes if need be. */
  at(place: Place, make: (place: Place) => Value): Value {
    const canonical = canonicalPlace(place)
    const key = keyOf(canonical)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const made = make(canonical)
    this.#byKey.set(key, made)
    const namesakes = [...(this.#byPath.get(canonical.repository) ?? []), made]
    this.#byPath.set(canonical.repository, namesakes.toSorted(byOrder))
    return made
  }

  /**
   * Returns the repositories that a request may mean, the likeliest first.
   * @param path of the repository in the URL
   * @param registry the `ns` of the request, which containerd sends
   */
  find(path: string, registry: string | undefined): readonly Value[] {
    const meant = [
      ...(registry === undefined ? [] : [canonicalPlace({registry, repository: path})]),
      ...placesIn(path),
    ]
    const named = meant.flatMap((place) => this.#byKey.get(keyOf(place)) ?? [])
    if (registry !== undefined && named.length > 0) return named
    return [...new Set([...named, ...(this.#byPath.get(path) ?? [])])]
  }
}

/** Returns the place that a path names by itself, as docker reads names; none for a path that is no name. */
export function placesIn(path: string): readonly Place[] {
  try {
    return [canonicalPlace(parseReference(path))]
  } catch (error) {
    if (isMirrorError(error)) return []
    throw error
  }
}

function canonicalPlace({registry, repository}: Place): Place {
  return {registry: canonicalRegistry(registry), repository}
}

function keyOf({registry, repository}: Place): string {
  return `${registry}/${repository}`
}

function byOrder(left: Place, right: Place): number {
  return orderOf(left).localeCompare(orderOf(right))
}

function orderOf({registry, repository}: Place): string {
  return `${registry === 'docker.io' ? '' : registry} ${repository}`
}
