import type {IncomingHttpHeaders} from 'node:http'
import type {Digest} from '@airgap-mirror/oci-client/model'
import type {Fault} from './fault-rule.js'
import type {RequestKind} from './route.js'

/** A request as the registry saw it. Sizes in bytes, times in milliseconds since the epoch. */
export interface RequestRecord {
  readonly id: number
  readonly kind: RequestKind
  /** other: it came to the second origin. */
  readonly origin: 'main' | 'other'
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly repository: string
  /** As they came, but `authorization` is only its scheme. */
  readonly headers: IncomingHttpHeaders
  /** The credential itself, for tests of where credentials are sent. */
  readonly authorization: string | undefined
  readonly startedAt: number
  readonly finishedAt: number | undefined
  /** Undefined if no answer was written. */
  readonly status: number | undefined
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly fault: Fault['type'] | undefined
}

export type MutableRecord = {-readonly [Key in keyof RequestRecord]: RequestRecord[Key]}

export interface Commit {
  readonly repository: string
  readonly digest: Digest
  readonly size: number
}

export interface RequestLog {
  readonly requests: MutableRecord[]
  readonly commits: Commit[]
  /** Bytes of request bodies, all of them. */
  bytesReceived: number
  /** Bytes that went into the sessions each blob came out of: more than its size where something was sent twice. */
  readonly blobBytes: Map<Digest, number>
}

export function createLog(): RequestLog {
  return {
    requests: [],
    commits: [],
    bytesReceived: 0,
    blobBytes: new Map(),
  }
}
