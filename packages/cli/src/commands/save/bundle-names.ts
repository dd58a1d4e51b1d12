import {formatReference, type Reference, type SourceImage} from '@airgap-mirror/oci-client/model'
import type {NameOf} from '../../engine/name-of.js'

/** Images keep their names in a bundle. Their repositories have the host in front there, since it is one place for all hosts. */
export const nameInBundle: NameOf = ({name, shownAs}) => {
  if (name === undefined) throw new Error(`an image of a registry has no name: ${shownAs ?? ''}`)
  const {registry, repository, tag, digest} = name
  const text = formatReference(name)
  const base = formatReference({registry, repository})
  return {
    target: {
      registry: '',
      repository: `${registry}/${repository}`,
      tag,
      digest,
    },
    label: {source: text, target: text},
    base: {source: base, target: base},
  }
}

/**
 * Returns the full name under which the bundle lists a manifest; undefined for manifests that belong to another.
 * @param images among them, those that are asked for by digest alone
 */
export function listedNames(images: readonly SourceImage[]): (target: Reference) => Reference | undefined {
  const byDigest = new Set(
    images.flatMap(({name}) => (name !== undefined && name.tag === undefined ? [formatReference(name)] : [])),
  )
  return ({repository, tag, digest}) => {
    const slash = repository.indexOf('/')
    const place = {registry: repository.slice(0, slash), repository: repository.slice(slash + 1)}
    if (tag !== undefined) return {...place, tag}
    const name = digest === undefined ? undefined : {...place, digest}
    return name !== undefined && byDigest.has(formatReference(name)) ? name : undefined
  }
}
