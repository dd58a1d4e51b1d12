import {attachedTo, referrersTag, type SourceImage} from '@airgap-mirror/oci-client/model'

/** The tag that makes an image a signature, an attestation or an SBOM of another, wherever its bundle keeps it. */
export function cosignTagOf({name, hint}: SourceImage): string | undefined {
  return [name?.tag, hint].find((tag) => tag !== undefined && attachedTo(tag) !== undefined)
}

/** Whether one image is about another, as a referrer or by cosign's tag. */
export function speaksOf(referrer: SourceImage, {root}: SourceImage): boolean {
  if (!('manifest' in root)) return false
  const {digest} = root.manifest
  return referrer.subject === digest || attachedTo(cosignTagOf(referrer) ?? '') === referrersTag(digest)
}
