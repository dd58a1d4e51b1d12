import pLimit from 'p-limit'
import {
  formatReference,
  isInconclusive,
  isMirrorError,
  isPending,
  type CallOptions,
  type Descriptor,
  type Digest,
  type ImageSink,
  type ImageSource,
  type MirrorError,
  type PendingImage,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import type {Pair} from './pair.js'
import {blobsOf, nodesOf, type ImageNode} from './gather.js'
import {Below, type Proof} from './probe-below.js'

/** The content of the private registry, as far as the plan has to know it. */
export interface TargetState {
  readonly registry: string
  /** The descriptor each target points at now. For a pending image only if its config is the same. */
  readonly present: ReadonlyMap<string, Descriptor>
  /** Targets that did not say what they have, with their answers: a write decides. */
  readonly unclear: ReadonlyMap<string, MirrorError>
  /** Pairs whose target could not be asked, with the errors. */
  readonly failed: ReadonlyMap<Pair, MirrorError>
  /** Content of images already there, by digest or diff ID: its final form and the repositories that have it. */
  readonly known: ReadonlyMap<
    Digest,
    {readonly descriptor: Descriptor; readonly repositories: readonly string[]}
  >
  /** Returns true if the repository has this content, which the source lacks. */
  has(repository: string, digest: Digest): boolean
  /** Returns true if the repository was asked and lacks this manifest, or some content below it. */
  lacks(repository: string, digest: Digest): boolean
}

export interface ProbeOptions extends CallOptions {
  readonly source: ImageSource
  readonly sink: Pick<ImageSink, 'resolve' | 'manifest' | 'hasBlob'>
  readonly registry: string
  /** Also look for the children that an index lacks. */
  readonly absentChildren: boolean
  readonly proof: Proof
  /** Small requests at once. */
  readonly concurrency: number
}

/**
 * Asks the registry for every target, all in parallel: one HEAD for each image, one for each manifest below a tag that is
 * there, and more only for content the source lacks. A target that cannot be asked fails its own pair, and not the others. An
 * inconclusive answer fails none.
 * @throws {MirrorError} CANCELLED
 */
export async function probeTarget(pairs: readonly Pair[], options: ProbeOptions): Promise<TargetState> {
  const state = new ProbedState(options.registry)
  const atOnce = pLimit(options.concurrency)
  const probe = {...options, state, below: new Below(options)}
  await Promise.all(pairs.map((pair) => atOnce(() => probeAlone(pair, probe))))
  return state
}

async function probeAlone(pair: Pair, probe: Probe): Promise<void> {
  try {
    await probeOne(pair, probe)
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    probe.state.failed.set(pair, error)
  }
}

type Probe = ProbeOptions & {readonly state: ProbedState; readonly below: Below}

async function probeOne(pair: Pair, probe: Probe): Promise<void> {
  const {target, image: content} = pair
  if (target === undefined || !('node' in content || 'pending' in content)) return
  const note = (answer: MirrorError): void => void probe.state.unclear.set(formatReference(target), answer)
  const found = await unlessUnclear(probe.sink.resolve(target, probe), note)
  if ('pending' in content) {
    if (found !== undefined) await unlessUnclear(probePending(target, content.pending, probe), note)
    return
  }
  if (found !== undefined) {
    probe.state.present.set(formatReference(target), found)
    const isSame = found.digest === content.node.manifest.descriptor.digest
    // A tag with another digest may point at a substitute with the same children.
    if (isSame || mayBeCut(content.node)) await findLost(content.node, target.repository, probe)
    if (isSame) {
      noteContent(content.node, target.repository, probe)
      if (!probe.state.lacks(target.repository, found.digest)) return
    }
  }
  await findMissing(content.node, target.repository, probe)
}

/** Returns undefined for an inconclusive answer, after it was noted. */
async function unlessUnclear<Answer>(
  asking: Promise<Answer>,
  note: (answer: MirrorError) => void,
): Promise<Answer | undefined> {
  try {
    return await asking
  } catch (error) {
    if (!isInconclusive(error)) throw error
    note(error)
    return undefined
  }
}

/** An image whose manifest was made at an earlier push is known by its config, which is never changed. */
async function probePending(
  target: Reference,
  pending: PendingImage,
  {source, sink, state, below, signal}: Probe,
): Promise<void> {
  const manifest = await sink.manifest(target, {signal})
  if (manifest?.kind !== 'image' || manifest.layers.length !== pending.layers.length) return
  if (manifest.config.digest !== pending.config.digest) return
  const {repository} = target
  const lost = await below.lostBlobs(blobsOf(manifest, source), repository)
  if (lost.size === 0) state.present.set(formatReference(target), manifest.descriptor)
  state.note(pending.config.digest, pending.config, repository)
  for (const [index, layer] of pending.layers.entries()) {
    const final = manifest.layers[index]
    if (final === undefined) continue
    if (!isPending(layer)) state.note(layer.digest, final, repository)
    else if (final.mediaType === layer.mediaType) state.note(layer.diffId, final, repository)
  }
}

/** Returns true if the source lacks a part of an index, so that a substitute may stand for it. */
function mayBeCut(root: ImageNode): boolean {
  return nodesOf(root).some(({absent, missing}) => absent.length > 0 || missing.length > 0)
}

async function findLost(root: ImageNode, repository: string, {state, below}: Probe): Promise<void> {
  for (const digest of await below.lost(root, repository)) state.lost.add(`${repository}@${digest}`)
}

function noteContent(
  root: ImageNode,
  repository: string,
  {state, source}: ProbeOptions & {state: ProbedState},
): void {
  for (const {manifest} of nodesOf(root)) {
    if (state.lacks(repository, manifest.descriptor.digest)) continue
    for (const blob of blobsOf(manifest, source)) state.note(blob.digest, blob, repository)
  }
}

async function findMissing(
  root: ImageNode,
  repository: string,
  probe: ProbeOptions & {state: ProbedState},
): Promise<void> {
  for (const node of nodesOf(root)) {
    for (const blob of node.missing) {
      if (await mayHaveBlob({sink: probe.sink, repository, digest: blob.digest, signal: probe.signal}))
        probe.state.found.add(`${repository}@${blob.digest}`)
    }
    for (const {digest} of probe.absentChildren ? node.absent : []) {
      const target = {registry: probe.registry, repository, digest}
      if (await unlessUnclear(probe.sink.resolve(target, probe), () => {}))
        probe.state.found.add(`${repository}@${digest}`)
    }
  }
}

/** Returns true if a repository has a blob, or does not say: the PUT of the manifest that needs it then decides. */
export async function mayHaveBlob({
  sink,
  repository,
  digest,
  signal,
}: CallOptions & {
  readonly sink: Pick<ImageSink, 'hasBlob'>
  readonly repository: string
  readonly digest: Digest
}): Promise<boolean> {
  try {
    return await sink.hasBlob(repository, digest, {signal})
  } catch (error) {
    if (isInconclusive(error)) return true
    throw error
  }
}

class ProbedState implements TargetState {
  readonly registry: string
  readonly present = new Map<string, Descriptor>()
  readonly unclear = new Map<string, MirrorError>()
  readonly failed = new Map<Pair, MirrorError>()
  readonly known = new Map<Digest, {descriptor: Descriptor; repositories: string[]}>()
  readonly found = new Set<string>()
  readonly lost = new Set<string>()

  constructor(registry: string) {
    this.registry = registry
  }

  has(repository: string, digest: Digest): boolean {
    return this.found.has(`${repository}@${digest}`)
  }

  lacks(repository: string, digest: Digest): boolean {
    return this.lost.has(`${repository}@${digest}`)
  }

  note(key: Digest, descriptor: Descriptor, repository: string): void {
    const known = this.known.get(key)
    if (known === undefined) this.known.set(key, {descriptor, repositories: [repository]})
    else if (!known.repositories.includes(repository)) known.repositories.push(repository)
  }
}
