import type {RegistryOptions} from '../client/options.js'
import type {
  BlobSource,
  CallOptions,
  Descriptor,
  ImageSource,
  Place,
  Reference,
  RequestUsage,
  SourceImage,
} from '../model/index.js'
import type {ReferrersOptions} from './referrer-walk.js'

/** Options of a source: the images, and how each of their registries is reached. */
export interface RegistrySourceOptions {
  readonly references: readonly Reference[]
  /** Returns the options of a registry, by the host in image names (`docker.io`). Called once, when first needed. */
  readonly registryFor: (host: string) => RegistryOptions
  /** False: `referrersOf` finds nothing and sends no request. */
  readonly referrers: boolean
  /**
   * The places to fetch a reference from, in this order; the reference itself only if listed. Absent or empty: the
   * reference itself.
   */
  readonly mirrors?: (reference: Reference) => readonly Reference[]
  /**
   * An earlier run's descriptor of a reference that cannot change: a digest, an immutable tag. It saves the request.
   */
  readonly known?: (reference: Reference) => Descriptor | undefined
  /** Ends everything. */
  readonly signal?: AbortSignal
}

/** Images of registries, as a source. Dispose of it to close its connections. */
export interface RegistrySource extends ImageSource {
  readonly access: 'random'
  /** Requests are those on the wire, tokens and redirects included; downloaded: bytes of blobs. */
  readonly usage: RequestUsage & {readonly downloaded: number}
  /**
   * Returns the images under these names, in their order, as `images` does for the names in the options. Each distinct
   * reference costs one HEAD.
   */
  imagesAt(references: readonly Reference[], options?: CallOptions): Promise<readonly SourceImage[]>
  /**
   * Returns the referrers of an image, of the children of an index, and in turn their referrers: signatures,
   * attestations, SBOMs. They are found by the referrers API, its tag schema and cosign's tags.
   * Costs at least one request for each repository and digest, so `images` does not include them. Cosign's have their
   * tag as name, the others have `subject`.
   */
  referrersOf(image: SourceImage, options?: ReferrersOptions): Promise<readonly SourceImage[]>
  /** A blob of one repository, whether or not a manifest that names it was read. */
  blobIn(place: Place, content: Descriptor): BlobSource
  /** @throws {MirrorError} NOT_FOUND, LIMIT_EXCEEDED, PROTOCOL, and the errors of the registry */
  listTags(registry: string, repository: string, options?: CallOptions): Promise<readonly string[]>
}
