import {
  formatReference,
  isJsonObject,
  limits,
  parseDescriptor,
  type Descriptor,
  type Digest,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {FileTree} from '../files/file-tree.js'
import {fitName} from '../names/fit-name.js'
import {recordedName, type RecordedName} from '../names/recorded-name.js'
import {rememberLayoutBlobs} from '../contents/content-table.js'
import {dockerBeside} from './docker-beside.js'
import {dockerHybrid, type DockerHybrid} from './docker-hybrid.js'
import type {Format, FormatContent, TreeRoot} from './format.js'
import {haulerImage, imageDigestsByName} from './hauler.js'
import {imagesUnder} from './images-under.js'
import {withoutAbsentContent} from './left-out.js'
import {attachedUnder} from './attached.js'
import {subjectOf, withoutChildren} from './nameless.js'
import {layoutProducer} from './producer.js'
import {unnamedHint, type ReadContext} from './read-context.js'
import {invalid, readJson} from '../contents/read-json.js'

interface Root {
  readonly descriptor: Descriptor
  readonly recorded: RecordedName
}

const OWN = /^(?:blobs\/|ingest\/|(?:oci-layout|index\.json|manifest\.json|repositories)$)/

export const ociLayout: Format = {
  name: 'oci-layout',
  detect: async ({tree}) => tree.find('index.json') !== undefined && isLayout(tree),
  read: async (root, context) => {
    const listed = await readIndexJson(root.tree, context)
    const content = await readOciLayout(root, {listed, context})
    const beside = await dockerBeside(root, {listed, context})
    return {
      ...content,
      images: [...content.images, ...(beside?.images ?? [])],
      uses: (path) => OWN.test(path) || beside?.uses(path) === true,
      listed,
    }
  },
}

// Without oci-layout, because hauler leaves it out on request.
function isLayout(tree: FileTree): boolean {
  return tree.find('oci-layout') !== undefined || tree.entries.some(({path}) => path.startsWith('blobs/'))
}

/**
 * Reads an OCI layout: skopeo, ctr, nerdctl, buildkit, docker with the containerd store, docker ≥ 25, crane, hauler,
 * zarf.
 */
async function readOciLayout(
  root: TreeRoot,
  {listed, context}: {readonly listed: readonly Descriptor[]; readonly context: ReadContext},
): Promise<Omit<FormatContent, 'uses'>> {
  rememberLayoutBlobs(context.table, root.tree)
  const descriptors = await withoutAbsentContent(listed, context)
  const hybrid = await dockerHybrid(root, context)
  const roots = descriptors.map((descriptor) => ({descriptor, recorded: recordedName(descriptor, context)}))
  const named = roots.filter(({recorded}) => recorded.name !== undefined)
  const nameless = await withoutChildren(
    roots.filter(({recorded}) => recorded.name === undefined),
    {named, context},
  )
  const kept = new Set<Root>([...named, ...nameless])
  const imageDigests = imageDigestsByName(named)
  const images: SourceImage[] = []
  for (const root of roots) {
    if (!kept.has(root)) continue
    const name = root.recorded.name
    const hauled = name === undefined ? undefined : haulerImage(root.descriptor, {name, imageDigests})
    if (hauled !== undefined) images.push(await withSubject(hauled, {root, context}))
    else if (name === undefined) images.push(...(await namelessImages(root, {hybrid, context})))
    else images.push(await namedImage(root, {name, hybrid, context}))
  }
  const {zarf = false} = context
  return {images, producer: layoutProducer({descriptors: listed, dockerItems: hybrid.items, zarf})}
}

/** @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED */
async function readIndexJson(tree: FileTree, {signal}: ReadContext): Promise<readonly Descriptor[]> {
  const file = tree.find('index.json')
  if (file === undefined) throw invalid(tree.name, 'is an OCI layout without index.json')
  const {json} = await readJson(file, {limit: limits.bundleIndexBytes, signal})
  // Go writes an empty list as null.
  const manifests: unknown = isJsonObject(json) ? (json['manifests'] ?? []) : undefined
  if (!Array.isArray(manifests)) throw invalid(file.name, 'has no list of manifests')
  return manifests.map((entry: unknown, index) => {
    try {
      return parseDescriptor(entry, `manifests[${index}]`)
    } catch (cause) {
      throw invalid(file.name, 'has an invalid descriptor', cause)
    }
  })
}

async function namedImage(
  {descriptor}: Root,
  {
    name,
    hybrid,
    context,
  }: {readonly name: Reference; readonly hybrid: DockerHybrid; readonly context: ReadContext},
): Promise<SourceImage> {
  const madeUp = await hybrid.madeUp(descriptor)
  if (madeUp !== undefined) return {name, ...madeUp}
  // A registry that is kept in a layout names its referrers by their digests.
  const subject = name.tag === undefined ? await subjectOf(descriptor, context) : undefined
  if (subject !== undefined && context.table.blobs.has(subject))
    return {shownAs: formatReference(name), root: {manifest: descriptor}, subject}
  return {...fitName(name, descriptor.digest), root: {manifest: descriptor}}
}

/**
 * Returns the images of a descriptor without a name: a referrer, an image named by RepoTags, or an image that needs a
 * name.
 */
async function namelessImages(
  {descriptor, recorded}: Root,
  {hybrid, context}: {readonly hybrid: DockerHybrid; readonly context: ReadContext},
): Promise<readonly SourceImage[]> {
  const subject = await subjectOf(descriptor, context)
  const shownAs = recorded.shownAs ?? unnamedHint(context, recorded.tag)
  const attached = await attachedUnder(recorded.tag, {descriptor, context})
  if (attached !== undefined) return attached
  if (subject !== undefined) return [{shownAs, root: {manifest: descriptor}, subject}]
  const image = (await hybrid.madeUp(descriptor)) ?? {root: {manifest: descriptor}}
  const {refused} = recorded
  return imagesUnder(preferTag(await hybrid.names(descriptor), recorded.tag), {
    shownAs,
    image: {...image, refusedName: refused},
  })
}

// containerd writes one descriptor for each name, with only the tag, so only RepoTags with that tag belong to it.
function preferTag(names: readonly Reference[], tag: string | undefined): readonly Reference[] {
  const same = names.filter((name) => name.tag === tag)
  return same.length === 0 ? names : same
}

/** Adds the subject in the manifest to a hauler `referrers` entry whose image is unknown. */
async function withSubject(
  image: SourceImage,
  {root, context}: {readonly root: Root; readonly context: ReadContext},
): Promise<SourceImage> {
  if (image.name !== undefined) return image
  const subject: Digest | undefined = (await subjectOf(root.descriptor, context)) ?? image.subject
  const shownAs = root.recorded.name === undefined ? context.shownAs : formatReference(root.recorded.name)
  return {shownAs, root: image.root, subject}
}
