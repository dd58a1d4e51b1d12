import {
  cosignSuffix,
  mediaTypes,
  type CosignSuffix,
  type Descriptor,
  type ImageManifest,
} from '@airgap-mirror/oci-client/model'
import type {ReferrerKind} from './inspection.js'

/** A statement about an image. A manifest may hold several. */
export interface Statement {
  readonly kind: ReferrerKind
  readonly type: string
}

/** The places of the predicate type in in-toto statements: buildkit and oras, cosign, and Sigstore's bundles. */
const PREDICATE_KEYS = ['in-toto.io/predicate-type', 'predicateType', 'dev.sigstore.bundle.predicateType']

const SUFFIX_KINDS: Readonly<Record<CosignSuffix, ReferrerKind>> = {
  sig: 'signature',
  att: 'attestation',
  sbom: 'sbom',
}

/**
 * Returns the statements in a referrer, by its types alone; nothing is verified.
 * @param tag the tag that it has, if it is attached by a tag
 */
export function statementsIn(manifest: ImageManifest, tag: string | undefined): readonly Statement[] {
  const predicates = [manifest, ...manifest.layers].flatMap(predicateOf)
  if (predicates.length > 0) return predicates.map((type) => ({kind: kindOfPredicate(type), type}))
  const suffix = cosignSuffix(tag ?? '')
  const type = typeOf(manifest)
  if (suffix === undefined) return [{kind: kindOfType(type), type}]
  // cosign adds a layer for each signer.
  const layers = manifest.layers.length === 0 ? [undefined] : manifest.layers
  return layers.map((layer) => ({kind: SUFFIX_KINDS[suffix], type: layer?.mediaType ?? type}))
}

function predicateOf({annotations = {}}: Pick<Descriptor, 'annotations'>): readonly string[] {
  const found = PREDICATE_KEYS.map((key) => annotations[key]).find((type) => type !== undefined)
  return found === undefined ? [] : [found]
}

function kindOfPredicate(type: string): ReferrerKind {
  if (/spdx|cyclonedx/i.test(type)) return 'sbom'
  return /cosign\/sign/i.test(type) ? 'signature' : 'attestation'
}

function kindOfType(type: string): ReferrerKind {
  if (/spdx|cyclonedx|syft|sbom/i.test(type)) return 'sbom'
  if (/attestation|in-toto|dsse|cosign\.artifact\.att/i.test(type)) return 'attestation'
  return /signature|simplesigning|cosign\.artifact\.sig|sigstore/i.test(type) ? 'signature' : 'other'
}

const EMPTY_CONFIGS: ReadonlySet<string> = new Set([
  mediaTypes.ociConfig,
  mediaTypes.dockerConfig,
  'application/vnd.oci.empty.v1+json',
])

function typeOf({artifactType, config, layers, descriptor}: ImageManifest): string {
  if (artifactType !== undefined && artifactType !== '') return artifactType
  if (!EMPTY_CONFIGS.has(config.mediaType)) return config.mediaType
  return layers[0]?.mediaType ?? descriptor.mediaType
}
