import type {HostKnowledge} from './host-knowledge.js'
import type {HostCondition} from '../http/host-gates.js'
import type {RetryPolicy} from '../http/retry.js'
import type {HttpUrl, Send} from '../http/send.js'
import type {Bytes, Digest, Side, OnWarning} from '../model/index.js'
import type {Retry, UploadJournal} from './options.js'

/** Everything that the operations on one registry share. */
export interface RegistryClient {
  /** `host[:port]`, for messages. */
  readonly registry: string
  readonly origin: string
  readonly side: Side
  /** Retries. For everything but uploads. */
  readonly send: Send
  /**
   * Retries at most once. For the first question, which more likely fails because of a wrong address than an outage.
   */
  readonly sendFirst: Send
  /** Does not retry. For uploads, which have their own loop. */
  readonly sendOnce: Send
  readonly host: HostKnowledge
  readonly journal: UploadJournal | undefined
  /** Origins that the registry has named for uploads in this run, in addition to its own. */
  readonly uploadOrigins: Set<string>
  readonly policy: RetryPolicy
  readonly chunkSize: 'auto' | number
  /** Limits the rate of all uploads together. */
  readonly paced: (bytes: Bytes, signal: AbortSignal) => Bytes
  /** Each text is reported once. */
  readonly warn: OnWarning
  readonly onRetry: (retry: Retry) => void
  /** Returns the condition of the registry's own host. */
  readonly condition: () => HostCondition
}

export function urlOf(client: RegistryClient, path: string): HttpUrl {
  return {origin: client.origin, path}
}

/** Returns the name of content for messages: `host:5000/a/b@sha256:…`. */
export function nameOf(
  client: RegistryClient,
  {repository, digest}: {readonly repository: string; readonly digest: Digest},
): string {
  return `${client.registry}/${repository}@${digest}`
}
