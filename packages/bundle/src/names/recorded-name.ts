import {
  isDigest,
  isMirrorError,
  isTag,
  parseReference,
  type Descriptor,
  type Reference,
} from '@airgap-mirror/oci-client/model'

/** Annotations of index.json by which producers record names. */
export const annotationKeys = {
  /** containerd, nerdctl, buildkit, docker ≥ 25, hauler: the full name. */
  containerdName: 'io.containerd.image.name',
  /** containerd: the digest that a nameless referrer refers to. */
  subject: 'io.containerd.manifest.subject',
  haulerName: 'hauler.dev/original-ref',
  /** hauler: the kind of the descriptor, `dev.hauler/image`, `dev.hauler/sigs` and so on. */
  haulerKind: 'kind',
  /** image-spec annotations.md: no semantics promised; a bare tag with containerd, anything with skopeo. */
  refName: 'org.opencontainers.image.ref.name',
  /** zarf puts the image's own name here; everywhere else it is the name of the image's base. */
  baseName: 'org.opencontainers.image.base.name',
  /** containerd: `containerd.io/distribution.source.<host>` = `repository[,repository]`. */
  distributionSource: 'containerd.io/distribution.source.',
} as const

export interface RecordedName {
  readonly name?: Reference
  /** A tag without a repository. */
  readonly tag?: string
  /** More than the tag, but not a name: for messages. */
  readonly shownAs?: string
  /** A text that was meant as a full name but is not valid. */
  readonly refused?: string
}

/** Returns the name from the annotations of a descriptor in index.json, most trusted annotation first. */
export function recordedName(
  {annotations = {}}: Descriptor,
  options: {readonly zarf?: boolean} = {},
): RecordedName {
  const refName = annotations[annotationKeys.refName]
  const candidates = [
    annotations[annotationKeys.containerdName],
    annotations[annotationKeys.haulerName],
    refName !== undefined && isFullName(refName) ? refName : undefined,
    options.zarf ? annotations[annotationKeys.baseName] : undefined,
  ]
  for (const candidate of candidates) {
    const name = referenceIn(candidate)
    if (name !== undefined) return {name}
  }
  const tag = refName !== undefined && isTag(refName) ? refName : undefined
  const source = distributionSource(annotations)
  const shownAs =
    source === undefined
      ? (candidates.find((candidate) => candidate !== undefined) ?? (tag === undefined ? refName : undefined))
      : [source, ...(tag === undefined ? [] : [tag])].join(':')
  const refused = candidates.find((candidate) => candidate !== undefined)
  return {
    tag,
    shownAs,
    refused,
  }
}

/** Parses a text as a reference; undefined if there is no text or it is not a reference. */
export function referenceIn(text: string | undefined): Reference | undefined {
  if (text === undefined || isDigest(text)) return undefined
  try {
    return parseReference(text)
  } catch (error) {
    if (isMirrorError(error)) return undefined
    throw error
  }
}

// `v1.2` is a tag and `alpine:3` is not; a digest would parse as the repository `sha256`.
function isFullName(text: string): boolean {
  return !isTag(text) && !isDigest(text)
}

function distributionSource(annotations: Readonly<Record<string, string>>): string | undefined {
  const prefix = annotationKeys.distributionSource
  const found = Object.entries(annotations).find(([key]) => key.startsWith(prefix))
  return found === undefined ? undefined : `${found[0].slice(prefix.length)}/${found[1].split(',')[0]}`
}
