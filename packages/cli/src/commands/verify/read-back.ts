import {plainLayer} from '@airgap-mirror/bundle/internal'
import type {RegistrySource} from '@airgap-mirror/oci-client'
import {inSpan, isMirrorError, MirrorError, type CallOptions} from '@airgap-mirror/oci-client/model'
import type {OnEvent} from '../../engine/events.js'
import type {RequiredBlob} from '../../engine/verify/checks.js'

export interface ReadBackOptions {
  /** `host[:port]` of the private registry. */
  readonly registry: string
  readonly onEvent: OnEvent
}

/**
 * Reads blobs back from the private registry. Bytes are held against their digest as they come. A layer that was
 * compressed on the way is unpacked as well, and held against its diff ID.
 * @throws {MirrorError} DIGEST_MISMATCH, BLOB_MISSING, and the errors of the registry; all of them on the side of the
 * target
 */
export function readingBack(source: RegistrySource, {registry, onEvent}: ReadBackOptions) {
  return async (blob: RequiredBlob, {signal}: CallOptions): Promise<void> => {
    const {repository, descriptor} = blob
    const {digest, size} = descriptor
    const event = {type: 'blob', key: digest, name: `${repository} ${digest.slice(7, 19)}`, size} as const
    onEvent({...event, state: 'started', sent: 0})
    try {
      await inSpan(
        () => ({kind: 'blob', name: event.name, details: {size}}),
        () => readOne(blob, {source, registry, signal}),
      )
      onEvent({...event, state: 'uploaded', sent: size})
    } catch (error) {
      onEvent({...event, state: 'failed', sent: 0})
      if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
      const {code, message} = error
      const isWrong = error.advice?.kind === 'find-changing-proxy'
      const advice = isWrong ? ({kind: 'replace-damaged-blob'} as const) : error.advice
      throw new MirrorError(code, message, {side: 'target', advice, cause: error})
    }
  }
}

async function readOne(
  {repository, descriptor, diffId}: RequiredBlob,
  {source, registry, signal}: CallOptions & {readonly source: RegistrySource; readonly registry: string},
): Promise<void> {
  const {digest} = descriptor
  const bytes = source.blobIn({registry, repository}, descriptor).open({signal})
  if (diffId === undefined) {
    for await (const _ of bytes);
    return
  }
  const layer = plainLayer(bytes, {name: digest, signal})
  for await (const _ of layer.bytes);
  if (layer.diffId() === diffId) return
  throw new MirrorError(
    'DIGEST_MISMATCH',
    `the layer ${digest} unpacks to ${layer.diffId()}, not to the diff ID ${diffId} of its config`,
    {side: 'target', advice: {kind: 'push-again'}},
  )
}
