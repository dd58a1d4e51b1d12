import {openFileSink, type FileSink, type FileTarget} from '@airgap-mirror/bundle'
import {openRegistry, type Registry} from '@airgap-mirror/oci-client'
import type {CallOptions, ImageSink, RequestUsage} from '@airgap-mirror/oci-client/model'
import type {CopySettings} from '../copy/copy-settings.js'
import type {FilePlace, Place, RegistryPlace} from '../copy/place.js'
import {refNameOf} from '../copy/prepare-copy.js'
import {connectionTo} from './connection.js'
import type {OpenSideOptions} from './copy-source.js'
import {lastingKnowledge} from './lasting-knowledge.js'

/** Where the image of a copy goes, open. */
export interface CopyTarget extends AsyncDisposable {
  readonly sink: ImageSink
  readonly requests: RequestUsage
  /** Puts what is complete under its name. */
  finish(options: CallOptions): Promise<void>
}

const REF_NAME = 'org.opencontainers.image.ref.name'

/** @throws {MirrorError} those of either kind of target, before anything is written */
export function openCopyTarget(settings: CopySettings, options: OpenSideOptions): Promise<CopyTarget> {
  return settings.to.transport === 'docker'
    ? intoRegistry(settings.to, {settings, ...options})
    : intoFile(settings.to)
}

async function intoFile(to: FilePlace): Promise<CopyTarget> {
  const sink: FileSink = await openFileSink(fileTarget(to))
  return {
    sink,
    requests: {requests: 0, retries: 0},
    finish: (options) => sink.finish(options),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
}

function fileTarget({transport: format, path, ref}: FilePlace): FileTarget {
  if (format === 'dir') return {format, path}
  if (format === 'docker-archive') return {format, path, repoTags: () => (ref === undefined ? [] : [ref])}
  return {
    format,
    path,
    annotations: (target) => {
      const name = refNameOf(target, ref)
      if (name === undefined) return undefined
      return name.refName === undefined ? {} : {[REF_NAME]: name.refName}
    },
  }
}

async function intoRegistry(
  {reference}: RegistryPlace,
  {settings, run, state}: OpenSideOptions & {readonly settings: CopySettings},
): Promise<CopyTarget> {
  const name = reference.registry
  const signal = run.interruption.drain
  const {target, output} = settings
  const connection = await connectionTo(name, {settings: target, side: 'target', output, run})
  const registry = openRegistry({
    ...connection,
    knowledge: await state?.hosts.load(name),
    journal: state?.uploads(name),
  })
  try {
    await registry.ping({signal})
  } catch (error) {
    await registry[Symbol.asyncDispose]()
    throw error
  }
  return {
    sink: mountingFrom(settings.from, {registry, name}),
    requests: registry.usage,
    finish: async () => {},
    [Symbol.asyncDispose]: async () => {
      await state?.hosts.save(name, lastingKnowledge(registry.knowledge))
      await registry[Symbol.asyncDispose]()
    },
  }
}

/** Within one registry, content is mounted from where it is rather than carried around. */
function mountingFrom(
  from: Place,
  {registry, name}: {readonly registry: Registry; readonly name: string},
): ImageSink {
  if (from.transport !== 'docker' || from.reference.registry !== name) return registry
  const {repository: own} = from.reference
  return {
    ...registry,
    putBlob: (repository, blob, options = {}) =>
      registry.putBlob(repository, blob, {
        ...options,
        mountFrom: [...(options.mountFrom ?? []), ...(own === repository ? [] : [own])],
      }),
  }
}
