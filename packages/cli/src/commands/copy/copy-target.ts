import {openFileSink, type FileSink, type FileTarget} from '@airgap-mirror/bundle'
import type {CallOptions, ImageSink, ImageSource, SourceImage} from '@airgap-mirror/oci-client/model'
import type {CopySettings} from './copy-settings.js'
import {mountingFrom} from './mounting-from.js'
import type {FilePlace, RegistryPlace} from './place.js'
import {openTarget} from '../../run/open-target.js'
import type {Run} from '../../run/run.js'

/** The target of a copy, open until the run ends. */
export interface CopyTarget {
  readonly sink: ImageSink
  /** Tells the target of the image before its first blob. @throws {MirrorError} the errors of the source */
  announce(image: SourceImage, source: ImageSource, options: CallOptions): Promise<void>
  /** Puts what is complete under its name. */
  finish(options: CallOptions): Promise<void>
}

const REF_NAME = 'org.opencontainers.image.ref.name'

/** @throws {MirrorError} the errors of either kind of target, before anything is written */
export function openCopyTarget(settings: CopySettings, run: Run): Promise<CopyTarget> {
  return settings.to.transport === 'docker'
    ? intoRegistry(settings.to, {settings, run})
    : intoFile(settings.to, run)
}

async function intoFile(to: FilePlace, run: Run): Promise<CopyTarget> {
  const sink: FileSink = run.keep(await openFileSink(fileTarget(to)))
  return {
    sink,
    announce: async ({root}, source, options) => {
      if (sink.announce === undefined || !('manifest' in root)) return
      const manifest = await source.manifest(root.manifest, options)
      if (manifest.kind === 'image') await sink.announce(manifest, source.blob(manifest.config), options)
    },
    finish: (options) => sink.finish(options),
  }
}

function annotationsOf(tag: string): Readonly<Record<string, string>> {
  return tag === '' ? {} : {[REF_NAME]: tag}
}

function fileTarget({transport: format, path, ref}: FilePlace): FileTarget {
  if (format === 'dir') return {format, path}
  if (format === 'docker-archive') return {format, path, repoTags: () => (ref === undefined ? [] : [ref])}
  return {
    format,
    path,
    annotations: ({tag}) => (tag === undefined ? undefined : annotationsOf(tag)),
  }
}

async function intoRegistry(
  {reference}: RegistryPlace,
  {settings, run}: {readonly settings: CopySettings; readonly run: Run},
): Promise<CopyTarget> {
  const name = reference.registry
  const registry = await openTarget(run, {registry: name, settings: settings.targetFlags})
  await registry.ping({signal: run.stop.soon})
  const {from} = settings
  // Within one registry, content is mounted from the other repository instead of being transferred.
  const isSame = from.transport === 'docker' && from.reference.registry === name
  return {
    sink: isSame ? mountingFrom(from.reference.repository, registry) : registry,
    announce: async () => {},
    finish: async () => {},
  }
}
