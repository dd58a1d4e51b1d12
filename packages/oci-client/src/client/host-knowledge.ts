import type {JsonObject} from '../model/index.js'

/**
 * What one host was seen to do, learnt once and shared by all uploads to it. Plain JSON: it may be kept between runs.
 * Everything unknown is tried the usual way first; a wrong guess costs requests, never content.
 */
export interface HostKnowledge {
  /** Cross-repository mounts refused outright so far. */
  mountsRefused: number
  /** Whether several PATCH requests make one blob. ECR accepts the second and drops its bytes. */
  chunks: 'unknown' | 'work' | 'broken'
  /** `OCI-Chunk-Min-Length`: the least a chunk may have, the last one excepted. In bytes. */
  chunkMin: number
  /** The most a request body may have, found by being refused with 413. In bytes. */
  bodyMax: number | undefined
  /** Whether a blob may be the body of the committing PUT. Artifactory before 7 answers 404. */
  bodyPut: 'unknown' | 'works' | 'broken'
  /** Whether a torn upload session says how far it got. Distribution 2 and Harbor end it instead. */
  resume: 'unknown' | 'works' | 'broken'
}

export function unknownHost(): HostKnowledge {
  return knownHost({})
}

/**
 * What was kept of an earlier run's knowledge, believed field by field. Not whether mounts are refused: that depends on the
 * credential and on the repositories, too.
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

/** One refusal may be about one repository (Harbor: no such project); two say that the host does not mount. */
const MOUNT_REFUSALS = 2

export function mayMount(host: HostKnowledge): boolean {
  return host.mountsRefused < MOUNT_REFUSALS
}
