import {attachedTo, referrersTag, type SourceImage} from '@airgap-mirror/oci-client/model'

/** The tag that makes an image a signature, an attestation or an SBOM of another, wherever its bundle keeps it. */
export function cosignTagOf({name, shownAs}: SourceImage): string | undefined {
  return [name?.tag, shownAs].find((tag) => tag !== undefined && attachedTo(tag) !== undefined)
}

/** Returns true if the first image refers to the second, by its subject or by a tag of cosign. */
export function speaksOf(referrer: SourceImage, {root}: SourceImage): boolean {
  if (!('manifest' in root)) return false
  const {digest} = root.manifest
  return referrer.subject === digest || attachedTo(cosignTagOf(referrer) ?? '') === referrersTag(digest)
}
