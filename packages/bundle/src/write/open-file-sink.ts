import {limits, type MirrorError} from '@airgap-mirror/oci-client/model'
import {checkDirectory} from './check-directory.js'
import {DirectoryStore} from './directory-store.js'
import {DirSink, VERSION, VERSION_TEXT} from './dir-sink.js'
import {DockerArchiveSink, type DockerArchiveSinkOptions} from './docker-archive-sink.js'
import type {FileSink} from './file-sink.js'
import {MARKER} from './layout-files.js'
import {LayoutSink, type LayoutSinkOptions} from './layout-sink.js'
import {checkArchivePath, TarStore} from './tar-store.js'
import {refused} from './write-error.js'

/** The target of images, and their names there. */
export type FileTarget = {readonly path: string} & (
  | ({readonly format: 'oci'} & LayoutSinkOptions)
  | ({readonly format: 'oci-archive'} & LayoutSinkOptions)
  | ({readonly format: 'docker-archive'} & DockerArchiveSinkOptions)
  | {readonly format: 'dir'}
)

/**
 * Opens a sink for images in files. Opening writes nothing. Names appear at `finish`; an existing `oci` or `dir` gets
 * blobs before. An `oci` layout keeps its images; an `oci-archive` and the image of a `dir` are replaced. A
 * `docker-archive` that exists is refused, as skopeo does, and so is a directory with other content.
 * @throws {MirrorError} USAGE for a refused target, WRITE_FAILED
 */
export async function openFileSink(target: FileTarget): Promise<FileSink> {
  const {path} = target
  if (target.format === 'oci') {
    await checkDirectory(path, {marker: MARKER, what: 'an OCI layout'})
    return new LayoutSink(new DirectoryStore(path), target)
  }
  if (target.format === 'dir') {
    await checkDirectory(path, {marker: VERSION, what: 'an image directory of skopeo'})
    await checkVersion(path)
    return new DirSink(path)
  }
  const exists = await checkArchivePath(path)
  if (target.format === 'oci-archive')
    return new LayoutSink(new TarStore(path, {existing: 'replace'}), target)
  if (exists) throw refuseExisting(path)
  return new DockerArchiveSink(new TarStore(path, {existing: {refuseWith: refuseExisting}}), target)
}

function refuseExisting(path: string): MirrorError {
  return refused(`${path} exists, and a docker-archive is not added to`, {kind: 'use-new-archive'})
}

async function checkVersion(path: string): Promise<void> {
  const bytes = await new DirectoryStore(path).read(VERSION, {limit: limits.headerBytes})
  if (bytes === undefined || Buffer.from(bytes).toString().startsWith(VERSION_TEXT)) return
  throw refused(`${path} holds more than an image directory of skopeo`, {
    kind: 'use-empty-directory',
  })
}
