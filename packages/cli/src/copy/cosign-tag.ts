import {hexOf, type SourceImage} from '@airgap-mirror/oci-client/model'

const COSIGN_TAG = /^sha256-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?$/

function isCosignTag(tag: string): boolean {
  return COSIGN_TAG.test(tag)
}

/** The tag that makes an image a signature, an attestation or an SBOM of another, wherever its bundle keeps it. */
export function cosignTagOf({name, hint}: SourceImage): string | undefined {
  return [name?.tag, hint].find((tag) => tag !== undefined && isCosignTag(tag))
}

/** Whether one image is about another, as a referrer or by cosign's tag. */
export function speaksOf(referrer: SourceImage, {root}: SourceImage): boolean {
  if (!('manifest' in root)) return false
  const {digest} = root.manifest
  return referrer.subject === digest || cosignTagOf(referrer)?.startsWith(`sha256-${hexOf(digest)}`) === true
}
