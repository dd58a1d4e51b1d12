import {formatReference, type Reference} from '@airgap-mirror/oci-client/model'
import type {RegistrySettings} from './job.js'

/** A place an image may be fetched from. */
export interface MirrorPlace {
  readonly reference: Reference
  /** Its certificate need not be valid. Plain HTTP is used only if a URL or `plain-http` says so. */
  readonly insecure?: boolean
  readonly plainHttp?: boolean
}

/** The places that source references are really fetched from, by the configuration of a node or a cluster. */
export interface SourceMirrors {
  /**
   * Returns the places to try, in this order. The reference itself is among them only if the file keeps it.
   * @throws {MirrorError} DENIED if the file blocks the reference
   */
  readonly mirrorsFor: (reference: Reference) => readonly MirrorPlace[]
  /** Returns the file's settings for the registry itself: credentials and TLS. */
  readonly settingsFor: (host: string) => RegistrySettings | undefined
}

export interface ParseMirrorsOptions {
  /** For messages. */
  readonly name: string
  /** Names of files in it are relative to this one; absolute. */
  readonly directory: string
}

/** Each place once: the first time it is named counts. */
export function distinctPlaces(places: readonly MirrorPlace[]): readonly MirrorPlace[] {
  const seen = new Set<string>()
  return places.filter(({reference}) => {
    const key = formatReference(reference)
    return !seen.has(key) && seen.add(key)
  })
}
