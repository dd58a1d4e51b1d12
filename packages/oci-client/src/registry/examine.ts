import {describeCredential, type CredentialProvider} from '../auth/credential.js'
import {urlOf, type RegistryClient} from '../client/client.js'
import {endpoints, pullScope} from '../client/endpoints.js'
import {openClient} from '../client/open-client.js'
import type {RegistryOptions} from '../client/options.js'
import {proxyFor} from '../http/proxy.js'
import {redactUrl} from '../http/redact.js'
import {contentTypeOf} from '../http/not-registry.js'
import {responseError} from '../http/response-error.js'
import {digestOf, limits, type CallOptions} from '../model/index.js'
import {productOf} from './product.js'
import {tryMount, trySparseIndex, type WriteTrial} from './try-writes.js'
import {probeBody, probeUpload, type Ability, type BodyAnswer, type PushRight} from './upload/probe-upload.js'

/** The base page of a registry's API. */
export interface BasePage {
  readonly status: number
  /** The product, such as Harbor; absent if nothing tells. */
  readonly product: string | undefined
  /** The program that says it answers, which is often a proxy; absent if none does. */
  readonly server: string | undefined
  /** A page for browsers, which a registry sends only by mistake. */
  readonly isWebPage: boolean
  /** The registry's clock. */
  readonly date: Date | undefined
  /** The login that was found for it, without its secret, and where. Absent: none was found. */
  readonly login: string | undefined
}

/**
 * Asks a registry what it can do. Nothing that it does stays: an upload that it opens is cancelled, and `mounts` and
 * `sparseIndex` delete what they write, or tell what they could not delete.
 */
export interface Examiner extends AsyncDisposable {
  readonly origin: string
  /** The proxy that leads to the registry, without its password. */
  readonly proxy: string | undefined
  /** The proxy that is set and passed by: the registry is a loopback address, or excepted from it. Without its password. */
  readonly passedProxy: string | undefined
  /** @throws {MirrorError} UNREACHABLE, TLS_*, PROXY_FAILED, AUTH_*, PROTOCOL */
  base(options?: CallOptions): Promise<BasePage>
  /** @throws {MirrorError} the errors of the network */
  push(repository: string, options?: CallOptions): Promise<PushRight>
  /** The API that lists signatures and SBOMs; without it, a tag does. @throws {MirrorError} the errors of the network */
  referrers(repository: string, options?: CallOptions): Promise<Ability>
  /** A request with that number of bytes. @throws {MirrorError} the errors of the network */
  body(repository: string, size: number, options?: CallOptions): Promise<BodyAnswer>
  /** Writes a small blob, takes it to a second repository, and deletes both. @throws {MirrorError} those of an upload */
  mounts(repository: string, options?: CallOptions): Promise<WriteTrial>
  /** Writes an index whose platform is nowhere, and deletes it. @throws {MirrorError} the errors of the network */
  sparseIndex(repository: string, options?: CallOptions): Promise<WriteTrial>
  /** The deletion of manifests, asked for a digest that nothing has. @throws {MirrorError} the errors of the network */
  deletion(repository: string, options?: CallOptions): Promise<Ability>
}

/** The digest of no content that a registry has. */
const NOTHING = digestOf(Buffer.from('mirror doctor asks for content that is nowhere'))

/**
 * Sends nothing yet.
 * @throws {MirrorError} CERTIFICATE_INVALID, CONFIG_INVALID
 */
export function openExaminer(options: RegistryOptions): Examiner {
  const {credentials} = options
  let login: string | undefined
  const watched: CredentialProvider = async (request) => {
    const found = await credentials?.(request)
    login = found === undefined ? login : describeCredential(found)
    return found
  }
  const challenges: string[] = []
  const {client, close} = openClient({...options, credentials: watched}, (next) => async (request) => {
    const response = await next(request)
    if (challenges.length < limits.challenges) challenges.push(...response.headers('www-authenticate'))
    return response
  })
  const {httpProxy, httpsProxy} = options.proxy ?? {}
  const set = client.origin.startsWith('https:') ? httpsProxy : httpProxy
  const proxy = options.proxy === undefined ? undefined : proxyFor(client.origin, options.proxy)
  return {
    origin: client.origin,
    proxy: proxy === undefined ? undefined : redactUrl(proxy),
    passedProxy: proxy === undefined && set !== undefined && set !== '' ? redactUrl(set) : undefined,
    base: async (call = {}) => ({...(await basePage(client, {...call, challenges})), login}),
    push: (repository, call = {}) => probeUpload(client, {repository, ...call}),
    referrers: (repository, call = {}) => referrersApi(client, {repository, ...call}),
    deletion: (repository, call = {}) => deletionApi(client, {repository, ...call}),
    body: (repository, size, call = {}) => probeBody(client, {repository, size, ...call}),
    mounts: (repository, call = {}) => tryMount(client, {repository, ...call}),
    sparseIndex: (repository, call = {}) => trySparseIndex(client, {repository, ...call}),
    [Symbol.asyncDispose]: close,
  }
}

type Asked = CallOptions & {readonly repository: string}

async function basePage(
  client: RegistryClient,
  {signal, challenges}: CallOptions & {readonly challenges: readonly string[]},
): Promise<Omit<BasePage, 'login'>> {
  const response = await client.sendFirst({
    method: 'GET',
    url: urlOf(client, endpoints.base),
    signal,
    scopes: [],
  })
  const {status} = response
  const date = Date.parse(response.header('date') ?? '')
  const page = {
    status,
    product: productOf({header: (name) => response.header(name), challenges}),
    server: response.header('server'),
    date: Number.isNaN(date) ? undefined : new Date(date),
    // Some registries send their base page so, with the header that only registries have.
    isWebPage:
      contentTypeOf(response) === 'text/html' &&
      response.header('docker-distribution-api-version') === undefined,
  }
  if (status >= 400 && status !== 404 && status !== 403) {
    throw await responseError(response, {
      side: client.side,
      what: `cannot use the registry ${client.registry}`,
    })
  }
  await response.discard()
  return page
}

async function referrersApi(client: RegistryClient, {repository, signal}: Asked): Promise<Ability> {
  const response = await client.send({
    method: 'GET',
    url: urlOf(client, `/v2/${repository}/referrers/${NOTHING}`),
    signal,
    optional: true,
    scopes: [pullScope(repository)],
  })
  const type = response.header('content-type') ?? ''
  await response.discard()
  if (response.status === 200) return type.includes('json') ? 'yes' : 'unknown'
  return response.status === 404 || response.status === 405 ? 'no' : 'unknown'
}

async function deletionApi(client: RegistryClient, {repository, signal}: Asked): Promise<Ability> {
  const response = await client.sendOnce({
    method: 'DELETE',
    url: urlOf(client, `/v2/${repository}/manifests/${NOTHING}`),
    headers: {'content-length': '0'},
    signal,
    scopes: [`repository:${repository}:pull,push,delete`],
  })
  await response.discard()
  if (response.status === 404) return 'yes'
  return [401, 403, 405, 501].includes(response.status) ? 'no' : 'unknown'
}
