import type {HostKnowledge} from './host-knowledge.js'
import type {HostCondition} from '../http/host-gates.js'
import type {RetryPolicy} from '../http/retry.js'
import type {HttpUrl, Send} from '../http/send.js'
import type {Bytes, Digest, Side} from '../model/index.js'
import type {Retry, UploadJournal} from './options.js'

/** What every operation on one registry works with. */
export interface RegistryClient {
  /** `host[:port]`, for messages. */
  readonly registry: string
  readonly origin: string
  readonly side: Side
  /** Sends again what can be sent again: for everything but uploads. */
  readonly send: Send
  /** Sends again once at the most: for the first question, whose failure is more likely a wrong address than an outage. */
  readonly sendFirst: Send
  /** Sends once: for uploads, which have their own loop. */
  readonly sendOnce: Send
  readonly host: HostKnowledge
  readonly journal: UploadJournal | undefined
  /** Origins that the registry has named for uploads in this run, besides its own. */
  readonly uploadOrigins: Set<string>
  readonly policy: RetryPolicy
  readonly chunkSize: 'auto' | number
  /** Slows bytes down to what all uploads together may take. */
  readonly paced: (bytes: Bytes, signal: AbortSignal) => Bytes
  /** Each text is reported once. */
  readonly warn: (text: string) => void
  readonly onRetry: (retry: Retry) => void
  /** How the registry's own host does. */
  readonly condition: () => HostCondition
}

export function urlOf(client: RegistryClient, path: string): HttpUrl {
  return {origin: client.origin, path}
}

/** How messages name content: `host:5000/a/b@sha256:…`. */
export function nameOf(
  client: RegistryClient,
  {repository, digest}: {readonly repository: string; readonly digest: Digest},
): string {
  return `${client.registry}/${repository}@${digest}`
}
