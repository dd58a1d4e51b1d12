import {noticingRateLimit} from './rate-limit-notice.js'
import type {RegistryClient} from '../client/client.js'
import {openClient, type OpenClient} from '../client/open-client.js'
import type {RegistryOptions} from '../client/options.js'

/** A registry that images are fetched from. */
export interface SourceHost {
  readonly client: RegistryClient
  /** `yes` if the registry has the referrers API; learnt with the first request. */
  referrersApi: 'unknown' | 'yes' | 'no'
  /** Lists of referrers that failed since the last that did not. */
  referrersFailures: number
}

/** Every registry is connected to once, when the first image of it is asked for. */
export class SourceHosts implements AsyncDisposable {
  readonly #registryFor: (host: string) => RegistryOptions
  readonly #hosts = new Map<string, SourceHost & {readonly connection: OpenClient}>()

  /** @param registryFor what to connect with, by the host that image names have: `docker.io` */
  constructor(registryFor: (host: string) => RegistryOptions) {
    this.#registryFor = registryFor
  }

  get usage(): {readonly requests: number; readonly retries: number} {
    const usage = {requests: 0, retries: 0}
    for (const {connection} of this.#hosts.values()) {
      usage.requests += connection.usage.requests
      usage.retries += connection.usage.retries
    }
    return usage
  }

  /** @throws {MirrorError} CERTIFICATE_INVALID, CONFIG_INVALID, and the errors of `registryFor` */
  at(registry: string): SourceHost {
    const known = this.#hosts.get(registry)
    if (known !== undefined) return known
    const connection = openClient(this.#registryFor(registry))
    const {client} = connection
    const watched = noticingRateLimit({registry, warn: client.warn})
    const host = {
      connection,
      client: {...client, send: watched(client.send)},
      referrersApi: 'unknown' as const,
      referrersFailures: 0,
    }
    this.#hosts.set(registry, host)
    return host
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#hosts.values()].map(({connection}) => connection.close()))
  }
}
