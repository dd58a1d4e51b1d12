import {
  formatReference,
  isInconclusive,
  isMirrorError,
  type Descriptor,
  type ImageSink,
  type MirrorError,
} from '@airgap-mirror/oci-client/model'

/** Knowledge of a target, by reference. */
export interface Known {
  /** Answers that it gave before: an error is an inconclusive one. */
  readonly answered: ReadonlyMap<string, Descriptor | MirrorError | undefined>
  /** The content that earlier runs put there. It counts if the answer is inconclusive. */
  readonly remembered: ReadonlyMap<string, Descriptor>
}

/**
 * A sink that answers some names from what is known and asks for the others. A name that cannot be asked counts as
 * absent: the attempt to push it will report the error.
 * @throws {MirrorError} an inconclusive answer, for which nothing is remembered
 */
export function rememberingSink(
  sink: ImageSink,
  {answered, remembered}: Known,
): Pick<ImageSink, 'resolve' | 'manifest' | 'hasBlob'> {
  return {
    manifest: (target, call) => sink.manifest(target, call),
    hasBlob: (repository, digest, call) => sink.hasBlob(repository, digest, call),
    resolve: async (target, call): Promise<Descriptor | undefined> => {
      const name = formatReference(target)
      if (answered.has(name)) {
        const answer = answered.get(name)
        if (isMirrorError(answer)) throw answer
        return answer
      }
      try {
        return await sink.resolve(target, call)
      } catch (error) {
        if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
        if (!isInconclusive(error)) return undefined
        if (remembered.has(name)) return remembered.get(name)
        throw error
      }
    },
  }
}
