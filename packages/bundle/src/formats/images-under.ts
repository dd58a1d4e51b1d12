import type {Reference, SourceImage} from '@airgap-mirror/oci-client/model'

/** Returns an image for each name, all with the same root; one image with the hint if there is no name. */
export function imagesUnder(
  names: readonly Reference[],
  options: {readonly hint: string; readonly image: Omit<SourceImage, 'name' | 'hint'>},
): readonly SourceImage[] {
  const {hint, image} = options
  if (names.length === 0) return [{hint, ...image}]
  return names.map((name) => named(name, image))
}

function named(name: Reference, image: Omit<SourceImage, 'name' | 'hint'>): SourceImage {
  return {name, ...image}
}
