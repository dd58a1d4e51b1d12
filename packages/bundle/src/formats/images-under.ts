import type {Reference, SourceImage} from '@airgap-mirror/oci-client/model'

/** Returns an image for each name, all with the same root; one image without a name if there is none. */
export function imagesUnder(
  names: readonly Reference[],
  options: {readonly shownAs: string; readonly image: Omit<SourceImage, 'name' | 'shownAs'>},
): readonly SourceImage[] {
  const {shownAs, image} = options
  if (names.length === 0) return [{shownAs, ...image}]
  return names.map((name) => named(name, image))
}

function named(name: Reference, image: Omit<SourceImage, 'name' | 'shownAs'>): SourceImage {
  return {name, ...image}
}
