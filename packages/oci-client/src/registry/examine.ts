import {describeCredential, type CredentialProvider} from '../auth/credential.js'
import {urlOf, type RegistryClient} from '../client/client.js'
import {endpoints, pullScope} from '../client/endpoints.js'
import {openClient} from '../client/open-client.js'
import type {RegistryOptions} from '../client/options.js'
import {proxyFor} from '../http/proxy.js'
import {redactUrl} from '../http/redact.js'
import {responseError} from '../http/response-error.js'
import type {HttpResponse} from '../http/send.js'
import {digestOf, type CallOptions} from '../model/index.js'
import {tryMount, trySparseIndex, type WriteTrial} from './try-writes.js'
import {probeBody, probeUpload, type Ability, type BodyAnswer, type PushRight} from './upload/probe-upload.js'

/** The base page of a registry's API. */
interface BasePage {
  readonly status: number
  /** The program that says it answers; absent if none does. */
  readonly server: string | undefined
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
  const {client, close} = openClient({...options, credentials: watched})
  const proxy = options.proxy === undefined ? undefined : proxyFor(client.origin, options.proxy)
  return {
    origin: client.origin,
    proxy: proxy === undefined ? undefined : redactUrl(proxy),
    base: async (call = {}) => ({...(await basePage(client, call)), login}),
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

async function basePage(client: RegistryClient, {signal}: CallOptions): Promise<Omit<BasePage, 'login'>> {
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
    server: serverOf(response),
    date: Number.isNaN(date) ? undefined : new Date(date),
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

/** Headers by which registries tell who they are; `Server` is often a proxy's. */
function serverOf(response: HttpResponse): string | undefined {
  const told = [
    ['x-harbor-csrf-token', 'Harbor'],
    ['x-jfrog-version', 'Artifactory'],
    ['x-gitlab-meta', 'GitLab'],
    ['x-quay-request-id', 'Quay'],
  ].find(([header = '']) => response.header(header) !== undefined)
  return told?.[1] ?? response.header('server')
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
