import {parseContents, Refusal, type Contents, type IncomingManifest} from '@airgap-mirror/cli/server'
import type {Digest} from '@airgap-mirror/oci-client/model'
import type {RegistryOptions} from './options.js'
import type {Repository} from './repository.js'
import type {Storage} from './storage.js'

interface Place {
  readonly repository: Repository
  readonly storage: Storage
}

/** @throws {Refusal} MANIFEST_BLOB_UNKNOWN, DENIED, as the options say */
export function checkContent(
  {contents, tag, digest}: IncomingManifest,
  {options, violations, ...place}: Place & {readonly options: RegistryOptions; readonly violations: string[]},
): void {
  const {repository} = place
  const {missingContent: policy = 'refuse', strict, immutableTags} = options
  const missing = missingBelow(contents, {...place, name: `${repository.name}:${tag ?? digest}`})
  const isRefused = policy === 'refuse' || (policy === 'allow-index' && !contents.isIndex)
  if (missing.length > 0 && strict === true) violations.push(...missing)
  if (missing.length > 0 && isRefused) {
    throw new Refusal(400, 'MANIFEST_BLOB_UNKNOWN', `manifest references unknown content: ${missing[0]}`)
  }
  const present = tag === undefined ? undefined : repository.resolve(tag)
  if (immutableTags === true && present !== undefined && present !== digest) {
    throw new Refusal(412, 'DENIED', `tag ${tag} is immutable`)
  }
}

/** Sentences for each tag that does not lead to a manifest whose whole content is there. */
export function checkAll(repositories: Iterable<Repository>, storage: Storage): readonly string[] {
  return [...repositories].flatMap((repository) =>
    [...repository.marks].flatMap(([tag, digest]) => {
      const name = `${repository.name}:${tag}`
      const manifest = repository.manifest(digest)
      if (manifest === undefined) return [`${name}: manifest ${digest} is missing`]
      const contents = parseContents(manifest.bytes, manifest.mediaType)
      return missingBelow(contents, {repository, storage, name})
    }),
  )
}

/** Sentences about everything below this manifest that is not there, or not as big as its descriptor says. */
function missingBelow(
  contents: Contents,
  where: Place & {readonly name: string},
  seen: Set<Digest> = new Set(),
): readonly string[] {
  const {repository, storage, name} = where
  return contents.children.flatMap(({digest, size, foreign, isBlob}) => {
    if (!isBlob) {
      const child = repository.manifest(digest)
      if (child === undefined) return [`${name}: manifest ${digest} is missing`]
      if (child.bytes.length !== size) return [`${name}: manifest ${digest} is not of ${size} bytes`]
      if (seen.has(digest)) return []
      seen.add(digest)
      return missingBelow(parseContents(child.bytes, child.mediaType), where, seen)
    }
    if (foreign && !repository.blobs.has(digest)) return []
    const stored = repository.blobs.has(digest) ? storage.size(digest) : undefined
    if (stored === undefined) return [`${name}: blob ${digest} is missing`]
    return stored === size ? [] : [`${name}: blob ${digest} has ${stored} bytes, not ${size}`]
  })
}
