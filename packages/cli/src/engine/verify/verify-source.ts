import pLimit from 'p-limit'
import {
  contentKey,
  formatReference,
  isMirrorError,
  type CallOptions,
  type Content,
  type Descriptor,
  type Digest,
  type ErrorCode,
  type ImageSource,
  type MirrorError,
} from '@airgap-mirror/oci-client/model'
import {reportErrorOf} from '../../report/report-error.js'
import type {ReportImage} from '../../report/report.js'
import type {OnEvent} from '../events.js'
import {blobsOf, gather, isNeeded, nodesOf, rootDigest, type Gathered} from '../gather.js'
import {sourceLabel} from '../name-of.js'
import {familyOf, referrersAbout} from '../referrer-families.js'
import {selectImages, type Choice} from '../select.js'

export interface VerifySourceOptions extends CallOptions {
  readonly choice: Choice
  /** Content that a delta bundle leaves to the registry. */
  readonly leftOut: readonly Descriptor[]
  /** Blobs read at once. */
  readonly concurrency: number
  readonly onEvent: OnEvent
}

/**
 * Reads every manifest, config and layer of a source and holds it against its digest: proof that a bundle is whole, but for
 * what it leaves out on purpose. An image whose content could not be read has failed; it does not differ.
 * @throws {MirrorError} for what concerns the source as a whole, CANCELLED
 */
export async function verifySource(
  source: ImageSource,
  {choice, leftOut, concurrency, onEvent, signal}: VerifySourceOptions,
): Promise<readonly ReportImage[]> {
  const chosen = selectImages(await gather(source, {signal}), choice)
  const elsewhere = new Set(leftOut.map(({digest}) => digest))
  const contents = chosen.map((gathered) =>
    contentOf(gathered, source).filter((content) => !elsewhere.has(contentKey(content))),
  )
  const distinct = new Map(contents.flat().map((content) => [contentKey(content), content]))
  const bytes = [...distinct.values()].reduce((sum, {size}) => sum + size, 0)
  onEvent({type: 'plan', images: chosen.length, blobs: distinct.size, bytes, reads: true})
  const names = referrerNames(chosen)
  const reads = new Map<Digest, Promise<MirrorError | undefined>>()
  const atOnce = pLimit(source.access === 'random' ? concurrency : 1)
  for (const [key, content] of inOrder([...distinct], source))
    reads.set(
      key,
      atOnce(() => readWhole(content, {source, onEvent, signal})),
    )
  return Promise.all(
    chosen.map(async (gathered, index) => {
      const results = await Promise.all(
        (contents[index] ?? []).map(async (content) => reads.get(contentKey(content))),
      )
      const errors = 'error' in gathered ? [gathered.error] : results.filter((result) => result !== undefined)
      // A difference is proved, whatever else could not be read.
      const wrong = errors.find(isDamage) ?? errors[0]
      const source = names.get(gathered) ?? labelOf(gathered)
      return settled(gathered, {source, wrong, onEvent})
    }),
  )
}

/** The nameless referrers, named by their digest in the repository of their image, as a push names them. */
function referrerNames(images: readonly Gathered[]): ReadonlyMap<Gathered, string> {
  const names = new Map<Gathered, string>()
  const referrers = images.filter(({image}) => image.subject !== undefined)
  const about = referrersAbout(referrers)
  for (const owner of referrers.length === 0 ? [] : images) {
    const {name} = owner.image
    if (name === undefined) continue
    const {registry, repository} = name
    for (const referrer of familyOf([owner], about)) {
      const digest = rootDigest(referrer)
      if (referrer.image.subject === undefined || digest === undefined || names.has(referrer)) continue
      names.set(referrer, formatReference({registry, repository, digest}))
    }
  }
  return names
}

/** A referrer whose image has no name is called by its digest, because the name of the bundle would stand for it. */
function labelOf(gathered: Gathered): string {
  const {image} = gathered
  const digest = rootDigest(gathered)
  return (image.subject === undefined ? undefined : digest) ?? sourceLabel(image, digest)
}

/** In the source's own order if reading in another costs another pass. */
function inOrder(
  contents: readonly (readonly [Digest, Content])[],
  source: ImageSource,
): readonly (readonly [Digest, Content])[] {
  if (source.access === 'random') return contents
  const places = new Map(contents.map(([key, content]) => [key, placeOf(content, source)]))
  return contents.toSorted(([left], [right]) => (places.get(left) ?? 0) - (places.get(right) ?? 0))
}

function placeOf(content: Content, source: ImageSource): number {
  try {
    return source.blob(content).position ?? 0
  } catch (error) {
    // Reported when it is read.
    if (isMirrorError(error)) return 0
    throw error
  }
}

function settled(
  gathered: Gathered,
  {
    source,
    wrong,
    onEvent,
  }: {readonly source: string; readonly wrong: MirrorError | undefined; readonly onEvent: OnEvent},
): ReportImage {
  const digest = rootDigest(gathered)
  const status = statusOf(wrong)
  const error = wrong === undefined ? undefined : reportErrorOf(wrong)
  onEvent({type: 'image', source, target: source, status, error})
  return {
    source,
    target: '',
    status,
    sourceDigest: digest,
    digestChanged: false,
    bytesUploaded: 0,
    attempts: 0,
    error,
  }
}

/** Errors that leave the content unknown. All others say that the source is not what it has to be. */
const UNREAD: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SOURCE_UNREADABLE',
  'SOURCE_PASSED',
  'SCRATCH_FULL',
  'WRITE_FAILED',
])

function isDamage({code}: MirrorError): boolean {
  return !UNREAD.has(code)
}

function statusOf(wrong: MirrorError | undefined): ReportImage['status'] {
  if (wrong === undefined) return 'verified'
  return isDamage(wrong) ? 'differs' : 'failed'
}

function contentOf(gathered: Gathered, source: ImageSource): readonly Content[] {
  if ('pending' in gathered) {
    const {config, layers} = gathered.pending
    return [config, ...layers].filter((content) => isNeeded(content, source))
  }
  if (!('node' in gathered)) return []
  return nodesOf(gathered.node).flatMap((node) => blobsOf(node.manifest, source).concat(node.missing))
}

/** Resolves to the error of reading the content whole; undefined if it has its digest. */
async function readWhole(
  content: Content,
  {source, onEvent, signal}: CallOptions & {readonly source: ImageSource; readonly onEvent: OnEvent},
): Promise<MirrorError | undefined> {
  const key = contentKey(content)
  const {size} = content
  const event = {type: 'blob', key, name: key.slice(0, 19), size} as const
  onEvent({...event, state: 'started', sent: 0})
  try {
    let read = 0
    for await (const chunk of source.blob(content).open({signal, reuseChunks: true})) {
      read += chunk.length
      onEvent({...event, state: 'progress', sent: Math.min(read, size)})
    }
    onEvent({...event, state: 'uploaded', sent: size})
    return undefined
  } catch (error) {
    onEvent({...event, state: 'failed', sent: 0})
    if (isMirrorError(error) && error.code !== 'CANCELLED') return error
    throw error
  }
}
