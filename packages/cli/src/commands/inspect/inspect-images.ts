import type {BundleSource} from '@airgap-mirror/bundle'
import {
  formatPlatform,
  isIndexType,
  isMirrorError,
  mediaTypes,
  type CallOptions,
  type Descriptor,
  type Digest,
} from '@airgap-mirror/oci-client/model'
import pLimit from 'p-limit'
import type {Gathered} from '../../engine/gather.js'
import {sourceLabel} from '../../engine/name-of.js'
import {platformOf} from '../../engine/select.js'
import {reportErrorOf} from '../../report/report-error.js'
import type {ReportError} from '../../report/report.js'
import {contentsOf, platformsIn, sizeOf, type ContentOptions, type ImageContent} from './image-contents.js'
import type {ImageBytes, InspectedContent, InspectedImage, InspectedPlatform} from './inspection.js'
import type {Referrers} from './referrers.js'

/** Configs read at once. */
const READS_AT_ONCE = 16

export interface InspectImagesOptions extends CallOptions {
  readonly source: BundleSource
  readonly referrers: Referrers
  /** Words the advice of an error for the command. */
  readonly word: (error: ReportError) => ReportError
}

/** Returns each image with its sizes, platforms and referrers. Reads the configs of images for a single platform. */
export async function inspectImages(
  gathered: readonly Gathered[],
  {source, referrers, word, signal}: InspectImagesOptions,
): Promise<readonly InspectedImage[]> {
  const options = {source, leftOut: new Set(source.description.leftOut.map(({digest}) => digest))}
  const contents = gathered.map((one) => contentsOf(one, options))
  const users = usersOf(gathered, contents)
  const atOnce = pLimit(READS_AT_ONCE)
  return Promise.all(
    gathered.map((one, index) =>
      atOnce(async (): Promise<InspectedImage> => {
        const own = contents[index] ?? []
        const found = await platformsOf(one, {contents: own, options, source, signal})
        const thrown = 'error' in one ? one.error : found.error
        const bytes = bytesOf(own, users)
        return {
          ...identityOf(one),
          kind: kindOf(one),
          status: thrown !== undefined ? 'damaged' : bytes.missing > 0 || lacks(own) ? 'incomplete' : 'ok',
          bytes,
          platforms: found.platforms,
          referrers: 'node' in one ? referrers.of(one.node) : [],
          contents: own.map((content) => withUsers(content, users)),
          digestChanges: one.image.digestChanged,
          error: thrown === undefined ? undefined : word(reportErrorOf(thrown)),
        }
      }),
    ),
  )
}

function identityOf({
  image,
}: Gathered): Pick<InspectedImage, 'name' | 'named' | 'digest' | 'id' | 'mediaType'> {
  const {name, root, id} = image
  const manifest = 'manifest' in root ? root.manifest : undefined
  return {
    name: sourceLabel(image, manifest?.digest),
    named: name !== undefined,
    digest: manifest?.digest,
    mediaType: manifest?.mediaType,
    id: manifest === undefined ? id : undefined,
  }
}

const CONFIGS: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig])

function kindOf(gathered: Gathered): InspectedImage['kind'] {
  if ('error' in gathered) return 'unreadable'
  if ('pending' in gathered) return 'image'
  const {manifest} = gathered.node
  if (manifest.kind === 'index') return 'index'
  if (CONFIGS.has(manifest.config.mediaType) && manifest.artifactType === undefined) return 'image'
  return manifest.config.mediaType.startsWith('application/vnd.cncf.helm.') ? 'chart' : 'artifact'
}

/** The identities of the images that have each content. Names of the same image are no sharing. */
function usersOf(
  gathered: readonly Gathered[],
  contents: readonly (readonly ImageContent[])[],
): ReadonlyMap<Digest, ReadonlySet<string>> {
  const users = new Map<Digest, Set<string>>()
  for (const [index, own] of contents.entries()) {
    const root = own[0]?.digest ?? String(index)
    const identity = gathered[index] !== undefined && 'pending' in gathered[index] ? `id ${root}` : root
    for (const {digest} of own) users.set(digest, (users.get(digest) ?? new Set()).add(identity))
  }
  return users
}

function withUsers(content: ImageContent, users: ReadonlyMap<Digest, ReadonlySet<string>>): InspectedContent {
  return {...content, images: users.get(content.digest)?.size ?? 1}
}

function bytesOf(
  contents: readonly ImageContent[],
  users: ReadonlyMap<Digest, ReadonlySet<string>>,
): ImageBytes {
  const sum = (isMeant: (content: ImageContent) => boolean): number =>
    contents.filter(isMeant).reduce((total, {bytes}) => total + bytes, 0)
  const isHere = ({state}: ImageContent): boolean => state === 'here'
  const isOwn = ({digest}: ImageContent): boolean => (users.get(digest)?.size ?? 1) === 1
  return {
    total: sum(isHere),
    own: sum((content) => isHere(content) && isOwn(content)),
    shared: sum((content) => isHere(content) && !isOwn(content)),
    plain: sum((content) => isHere(content) && isPlainLayer(content)),
    leftOut: sum(({state}) => state === 'left-out'),
    missing: sum(({state}) => state === 'missing'),
  }
}

function lacks(contents: readonly ImageContent[]): boolean {
  return contents.some(({state}) => state === 'missing')
}

const PLAIN: ReadonlySet<string> = new Set([mediaTypes.ociLayer, mediaTypes.dockerLayer])

function isPlainLayer({role, mediaType}: ImageContent): boolean {
  return role === 'layer' && PLAIN.has(mediaType)
}

interface Found {
  readonly platforms: readonly InspectedPlatform[]
  readonly error?: unknown
}

async function platformsOf(
  gathered: Gathered,
  {
    contents,
    options,
    source,
    signal,
  }: CallOptions & {
    readonly contents: readonly ImageContent[]
    readonly options: ContentOptions
    readonly source: BundleSource
  },
): Promise<Found> {
  const config = configOf(gathered)
  if (config === undefined) return {platforms: 'node' in gathered ? platformsIn(gathered.node, options) : []}
  try {
    const platform = await platformOf(config, {source, signal})
    if (platform === undefined) return {platforms: []}
    const digest = contents[0]?.role === 'manifest' ? contents[0].digest : undefined
    return {
      platforms: [{platform: formatPlatform(platform), digest, present: true, ...sizeOf(contents)}],
    }
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    return {platforms: [], error}
  }
}

/** The config of an image for a single platform, which alone tells that platform. */
function configOf(gathered: Gathered): Descriptor | undefined {
  if ('pending' in gathered) return gathered.pending.config
  if (!('node' in gathered) || isIndexType(gathered.node.manifest.descriptor.mediaType)) return undefined
  const {manifest} = gathered.node
  return manifest.kind === 'image' && CONFIGS.has(manifest.config.mediaType) ? manifest.config : undefined
}
