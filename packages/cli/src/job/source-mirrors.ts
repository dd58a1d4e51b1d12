import {formatReference, limits, MirrorError, type Reference} from '@airgap-mirror/oci-client/model'
import type {RegistrySettings} from './job.js'

/** One place an image may be fetched from. */
export interface MirrorPlace {
  readonly reference: Reference
  /** Its certificate need not be good. Plain HTTP is spoken only where a URL says so, or `plain-http`. */
  readonly insecure?: boolean
  readonly plainHttp?: boolean
}

/** Where source references are really fetched from, as a `registries.conf` or `registries.yaml` says. */
export interface SourceMirrors {
  /**
   * The places to try, in this order. The reference itself is among them only where the file leaves it.
   * @throws {MirrorError} DENIED where the file blocks the reference
   */
  readonly mirrorsFor: (reference: Reference) => readonly MirrorPlace[]
  /** What the file says of a registry itself: credentials and TLS. */
  readonly settingsFor: (host: string) => RegistrySettings | undefined
}

export interface ParseMirrorsOptions {
  /** For messages. */
  readonly name: string
  /** Names of files in it are relative to this one; absolute. */
  readonly directory: string
}

/**
 * Reads either file, told apart by content: one is TOML, the other YAML.
 * @throws {MirrorError} CONFIG_INVALID, LIMIT_EXCEEDED
 */
export const parseSourceMirrors = async (
  text: string,
  options: ParseMirrorsOptions,
): Promise<SourceMirrors> => {
  if (text.length > limits.listBytes) {
    throw new MirrorError('LIMIT_EXCEEDED', `${options.name} is over the limit of ${limits.listBytes} bytes`)
  }
  if (isToml(text)) return (await import('./registries-conf.js')).parseRegistriesConf(text, options)
  return (await import('./registries-yaml.js')).parseRegistriesYaml(text, options)
}

/** Each place once: the first time it is named counts. */
export const distinctPlaces = (places: readonly MirrorPlace[]): readonly MirrorPlace[] => {
  const seen = new Set<string>()
  return places.filter(({reference}) => {
    const key = formatReference(reference)
    return !seen.has(key) && seen.add(key)
  })
}

/** Whether the first line that says something is a table or an assignment. */
const isToml = (text: string): boolean => {
  const line = text.split('\n').find((candidate) => /^\s*[^\s#]/.test(candidate)) ?? ''
  return /^\s*(?:\[|["\w.-]+\s*=)/.test(line)
}
