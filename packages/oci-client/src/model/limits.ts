const KiB = 1024
const MiB = 1024 * KiB

/** Every size and count accepted from outside, with the reason for it. Sizes in bytes. */
export const limits = {
  /** The limit of distribution, zot and ACR for a manifest (distribution-spec: at least 4 MiB must be supported). */
  manifestBytes: 4 * MiB,
  /**
   * The size that a descriptor may claim: the largest file of ext4. A blob is one file in a bundle, and in the store of most
   * registries. A larger claim would stop every check for space.
   */
  blobBytes: 16 * 1024 * 1024 * MiB,
  /** Image configs are read whole only for docker-archives; the largest seen are under 100 KiB. */
  configBytes: 8 * MiB,
  /**
   * All manifests of one bundle, which are in memory during a push: 12 KiB for each of 10,000 images. An index of six
   * platforms with their manifests takes about as much.
   */
  manifestsBytes: 128 * MiB,
  /** JSON values in them, see `jsonValues`: 400 for each of 10,000 images. */
  manifestsValues: 4_000_000,
  /** `index.json` and `manifest.json` of a bundle: about 3 KiB an image, so this is some 10,000 images. */
  bundleIndexBytes: 32 * MiB,
  /** Objects, lists, texts and numbers in one JSON file: a key of a few bytes takes some 200 in memory. */
  jsonValues: 1_000_000,
  /** Lists and objects inside each other in one JSON file; manifests have six levels, image configs few more. */
  jsonDepth: 100,
  /** Images of one bundle, each name counted. */
  images: 50_000,
  /** Manifests and blobs in the plan of a push, shared ones counted for each image: 200 for each of 10,000 images. */
  planSteps: 2_000_000,
  /** Layers in all images of one docker-archive, shared ones counted each time: 50 for each of 10,000 images. */
  dockerLayers: 500_000,
  /** Blobs that a delta bundle leaves out, at some 150 bytes each. 10,000 images have some 100,000 different blobs. */
  absentContent: 200_000,
  /** The checksum file of volumes and the signature file beside a bundle: a line for each volume. */
  checksumsBytes: 16 * MiB,
  /** Volumes of one bundle: 10 TB on CDs. */
  volumes: 15_000,
  /** A tar header extension (PAX record block, GNU long name): paths end at 4 KiB, xattrs at 64 KiB. */
  tarExtensionBytes: 1 * MiB,
  /** Entries of all archives of one bundle, at some 250 bytes each. 10,000 images with 100,000 blobs stay far below. */
  tarEntries: 500_000,
  /** Stored parts of one sparse file in an archive. A disk image that was written at random has fewer. */
  sparseParts: 100_000,
  /** A path in an archive: PATH_MAX of Linux. */
  tarPathLength: 4096,
  /** All paths of all archives of one bundle. The paths of 100,000 blobs are some 8 MiB. */
  tarNamesBytes: 64 * MiB,
  /** The remembered index of one bundle: some 150 bytes a member, and the small JSON members. */
  rememberedIndexBytes: 128 * MiB,
  /** Nested archives: outer, one per image, and one more for a compressed inner one. */
  nestingDepth: 4,
  /** Archives inside one bundle: one per image. */
  nestedArchives: 50_000,
  /**
   * Unpacked bytes of the compressed archives inside a bundle, for each byte of the bundle: images compress to a third.
   * A bundle itself may unpack to any size, because it is read only once, from start to end.
   */
  nestedRatio: 100,
  /** Archives inside a bundle may always unpack to this size, at any ratio. */
  nestedBytes: 1024 * MiB,
  /** Directories between a bundle's root and a layout inside it. */
  layoutDepth: 8,
  /** Indexes inside indexes. */
  indexDepth: 8,
  /** Children of one index, layers of one image. */
  descriptorsPerManifest: 10_000,
  /** Link hops inside one archive. */
  linkHops: 16,
  /** Characters of paths that are looked up to follow the links of one archive: about a second of work. */
  linkCharacters: 300_000_000,
  /** The xz Index of one stream: at most 18 bytes for each of `xzBlocks`. */
  xzIndexBytes: 8 * MiB,
  /** Streams of one file, each of which costs a few reads to find. Files joined by hand have a few. */
  xzStreams: 20_000,
  /** Blocks of one file, at some 300 bytes each. With the usual 24 MiB a block this is 6 TiB. */
  xzBlocks: 250_000,
  /**
   * Decoded size of an xz block that is held in memory: the block size of `xz -9`. Files with larger blocks are decoded
   * as a stream.
   */
  xzBlockBytes: 192 * MiB,
  /** Dictionary of an xz decoder; `xz -9` needs 64 MiB. */
  xzDictionaryBytes: 128 * MiB,
  /** Frames of one file, empty and skippable ones counted: in frames of 64 KiB this is 32 GiB. */
  zstdFrames: 500_000,
  /** 2^27, the default of every zstd decoder. */
  zstdWindowBytes: 128 * MiB,
  /** Error bodies of registries and proxies. The JSON envelope is small; an HTML page is shown in part. */
  errorBodyBytes: 64 * KiB,
  tokenBodyBytes: 1 * MiB,
  /** Challenges in one answer and parameters in one challenge; registries send one or two with three each. */
  challenges: 16,
  /** Tokens in memory at once. Each is 1 to 4 KiB, and every set of repositories needs its own. */
  tokensKept: 1_000,
  /** Output of a credential helper. Cloud helpers wrap tokens of some 4 KiB in JSON. */
  credentialHelperBytes: 1 * MiB,
  referrersBodyBytes: 4 * MiB,
  /** Depth to which referrers of referrers are followed: signatures of signatures, attestations of SBOMs. */
  referrerDepth: 4,
  /** Pages of one list of tags or referrers. Quay gives 100 entries each, most others 1,000. */
  listPages: 1_000,
  /** A page of tags. Distribution 2 has all of a repository's tags on one page. */
  tagsBodyBytes: 16 * MiB,
  /** Tags of one repository. Busy CI pipelines make some 50,000. */
  tags: 200_000,
  headerBytes: 64 * KiB,
  redirects: 5,
  /** Hosts with open connections: a registry, its token server, and the stores it redirects to. */
  origins: 32,
  /** A reference, as a whole (255 for the name by distribution, 128 tag, 71+ digest). */
  referenceLength: 1024,
  repositoryLength: 255,
  /** docker config.json, auth.json, an image list, a map file. */
  credentialFileBytes: 8 * MiB,
  listBytes: 16 * MiB,
  /** Lines of a list or of a configuration file. The longest known list has some 2,000. */
  textLines: 200_000,
  /** The pods of a cluster as JSON: 10,000 at about 12 KiB each. */
  podListBytes: 128 * MiB,
  /** JSON values in them, see `jsonValues`: some 400 for each of 10,000 pods. */
  podListValues: 8_000_000,
  /** Values in one YAML file, counted again for each alias. A job file of 10,000 images has some 50,000. */
  yamlNodes: 1_000_000,
  certificateBytes: 8 * MiB,
  /** A file of a node's configuration. The largest seen are bundles of public roots, well under 1 MiB. */
  nodeFileBytes: 4 * MiB,
  /** Files and directories of one node. The /etc of a full installation has some 3,000. */
  nodeFiles: 50_000,
} as const
