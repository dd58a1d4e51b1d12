import type {JsonObject} from '../model/index.js'

/**
 * The observed behaviour of one host, shared by all uploads to it. Plain JSON, so that it may be kept between runs.
 * Unknown behaviour is tried the usual way first. A wrong guess costs requests, never correctness.
 */
export interface HostKnowledge {
  /** Number of cross-repository mounts refused outright so far. */
  mountsRefused: number
  /** `work` if several PATCH requests make one blob. ECR accepts the second and drops its bytes. */
  chunks: 'unknown' | 'work' | 'broken'
  /** `OCI-Chunk-Min-Length`: the smallest chunk, in bytes, the last one excepted. */
  chunkMin: number
  /** The largest request body in bytes, as learnt from refusals with 413. */
  bodyMax: number | undefined
  /** `works` if a blob may be the body of the committing PUT. Artifactory before 7 answers 404. */
  bodyPut: 'unknown' | 'works' | 'broken'
  /**
   * `works` if an interrupted upload session still tells its offset. Distribution 2 and Harbor end the session instead.
   */
  resume: 'unknown' | 'works' | 'broken'
}

export function unknownHost(): HostKnowledge {
  return knownHost({})
}

/**
 * Returns an earlier run's knowledge, validated field by field. Refused mounts are forgotten, because they depend on
 * the credential and the repositories.
 */
export function knownHost(kept: JsonObject): HostKnowledge {
  const one = <Value extends string>(field: string, values: readonly Value[]): Value | 'unknown' =>
    values.find((value) => value === kept[field]) ?? 'unknown'
  const bytes = (field: string): number | undefined => {
    const value = kept[field]
    return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
  }
  return {
    mountsRefused: 0,
    chunks: one('chunks', ['work', 'broken']),
    chunkMin: bytes('chunkMin') ?? 0,
    bodyMax: bytes('bodyMax'),
    bodyPut: one('bodyPut', ['works', 'broken']),
    resume: one('resume', ['works', 'broken']),
  }
}

/** A refusal may be about one repository (Harbor: no such project). Two mean that the host does not mount. */
const MOUNT_REFUSALS = 2

export function mayMount(host: HostKnowledge): boolean {
  return host.mountsRefused < MOUNT_REFUSALS
}
