import {pullScope} from './endpoints.js'
import {openClient} from './open-client.js'
import type {RegistryOptions} from './options.js'
import {digestHeader} from './read-manifest.js'
import {isRepository, manifestAccept, type CallOptions, type Digest} from '../model/index.js'

export interface ManifestUrlOptions
  extends Pick<RegistryOptions, 'side' | 'tls' | 'proxy' | 'timeouts' | 'credentials'>, CallOptions {}

export interface ManifestUrlAnswer {
  readonly status: number
  /** The digest in the registry's answer; present only if the status is 200. */
  readonly digest?: Digest
}

/**
 * Sends one HEAD to a manifest URL, byte for byte as written, without retries. Answers a challenge with the credential.
 * @throws {MirrorError} UNREACHABLE, TIMEOUT, TLS_*, PROXY_FAILED, AUTH_*, CERTIFICATE_INVALID, PROTOCOL
 */
export async function askManifestUrl(url: string, options: ManifestUrlOptions): Promise<ManifestUrlAnswer> {
  const {signal, ...connection} = options
  const [, scheme = '', host = '', path = ''] = /^(https?):\/\/([^/?#]+)(\/[^#]*)$/.exec(url) ?? []
  const {client, close} = openClient({
    ...connection,
    registry: host,
    plainHttp: scheme === 'http',
    retries: 0,
  })
  try {
    const response = await client.sendOnce({
      method: 'HEAD',
      url: {origin: new URL(`${scheme}://${host}`).origin, path},
      headers: {accept: [...manifestAccept].join(', ')},
      scopes: scopesIn(path),
      signal,
    })
    await response.discard()
    const digest = response.status === 200 ? digestHeader(response) : undefined
    return {status: response.status, digest}
  } finally {
    await close()
  }
}

/** Returns the right to pull from the repository in a path. */
function scopesIn(path: string): readonly string[] {
  const [, repository = ''] = /\/v2\/(.+)\/manifests\/[^/]*$/.exec(path.replace(/\?.*$/, '')) ?? []
  return isRepository(repository) ? [pullScope(repository)] : []
}
