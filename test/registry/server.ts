import {dropSession, type StoredManifest} from '@airgap-mirror/cli/server'
import {digestOf, isDigest, readAll, type Digest, type DigestAlgorithm} from '@airgap-mirror/oci-client/model'
import {basicGate, openGate, tokenGate, type Gatekeeper} from './auth.js'
import {storeManifest, type IncomingManifest} from './content.js'
import {checkAll} from './contents.js'
import {directoryStorage} from './directory-storage.js'
import type {FaultRule} from './fault-rule.js'
import {createFaultPlan} from './faults.js'
import {handle, type Service} from './handle.js'
import {listen, type Listener} from './listener.js'
import type {RegistryOptions} from './options.js'
import type {Commit, RequestRecord} from './request-log.js'
import {createState, type RegistryState} from './state.js'
import {memoryStorage, type Storage} from './storage.js'
import {createTokenServer, type TokenServer} from './token-server.js'

/** A registry in this process, and everything it has seen. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** `http(s)://127.0.0.1:PORT`. */
  readonly url: string
  /** The address to which cross-origin Locations, redirected blobs and `realm: 'other-origin'` point. */
  readonly otherOrigin: string
  readonly requests: readonly RequestRecord[]
  /** Blobs that were uploaded to the end, in order; mounts are not among them. */
  readonly commits: readonly Commit[]
  /** Bytes of request bodies. */
  readonly bytesReceived: number
  /** Bytes received in the sessions that ended in this blob; 0 if it was never uploaded. */
  bytesReceivedOf(digest: Digest): number
  readonly connections: {readonly accepted: number; readonly open: number}
  readonly openUploads: number
  /** With `strict`: manifests that came before their content. Also chunks below the minimum. Empty is right. */
  readonly violations: readonly string[]
  repositories(): readonly string[]
  blobs(repository: string): readonly Digest[]
  tags(repository: string): readonly string[]
  manifest(repository: string, reference: string): StoredManifest | undefined
  /** The content of a blob; undefined if it is absent or only its size was kept. */
  blob(repository: string, digest: Digest): Promise<Uint8Array | undefined>
  /** Every tag leads to content that is all there: one sentence for each that does not. */
  fsck(): readonly string[]
  /** Puts content there without a request. */
  addBlob(repository: string, bytes: Uint8Array, algorithm?: DigestAlgorithm): Promise<Digest>
  /** @throws where content is missing or the manifest is not valid */
  addManifest(manifest: IncomingManifest): Digest
  /** Takes content away behind everybody's back. */
  loseBlob(repository: string, digest: Digest): void
  /** Puts other bytes under a digest, as a damaged disk does. */
  spoilBlob(digest: Digest, bytes: Uint8Array): Promise<void>
  loseUploads(): Promise<void>
  setFaults(rules: readonly FaultRule[]): void
  /** Forgets the requests seen so far, and the counts. */
  clearLog(): void
  /** All connections are cut and new ones refused, until `comeBack` on the same port; what is stored stays. */
  goDown(): Promise<void>
  comeBack(): Promise<void>
  close(): Promise<void>
}

/** Starts on 127.0.0.1, on a free port unless one is given. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const state = createState(options, await openStorage(options.storage))
  const scheme = options.tls === undefined ? 'http' : 'https'
  const {auth} = options
  const tokens =
    auth?.type === 'token'
      ? createTokenServer(auth, {scheme, otherOrigin: () => state.otherOrigin})
      : undefined
  const service: Service = {
    state,
    tokens,
    gate: gateOf(options, tokens),
    faults: createFaultPlan(options.faults ?? []),
  }
  const start = (origin: 'main' | 'other', port: number): Promise<Listener> =>
    listen((request, response, connection) => void handle(service, {request, response, connection, origin}), {
      tls: options.tls,
      port,
    })
  const other = await start('other', 0)
  state.otherOrigin = `${scheme}://127.0.0.1:${other.port}`
  let main = await start('main', options.port ?? 0)
  const {port} = main
  const host = `127.0.0.1:${port}`
  const close = async (): Promise<void> => {
    await Promise.all([main.close(), other.close()])
    await dropUploads(state)
    await state.storage.close()
  }
  return {
    ...inspection(state),
    host,
    url: `${scheme}://${host}`,
    otherOrigin: state.otherOrigin,
    requests: state.log.requests,
    commits: state.log.commits,
    violations: state.violations,
    get bytesReceived() {
      return state.log.bytesReceived
    },
    get connections() {
      return main.connections
    },
    get openUploads() {
      return state.uploads.size
    },
    setFaults: (rules) => service.faults.replace(rules),
    loseUploads: () => dropUploads(state),
    goDown: () => main.close(),
    comeBack: async () => {
      main = await start('main', port)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function inspection(
  state: RegistryState,
): Pick<
  TestRegistry,
  | 'repositories'
  | 'blobs'
  | 'tags'
  | 'manifest'
  | 'blob'
  | 'fsck'
  | 'addBlob'
  | 'addManifest'
  | 'loseBlob'
  | 'spoilBlob'
  | 'clearLog'
  | 'bytesReceivedOf'
> {
  return {
    bytesReceivedOf: (digest) => state.log.blobBytes.get(digest) ?? 0,
    repositories: () => [...state.repositories.keys()],
    blobs: (repository) => [...(state.repositories.get(repository)?.blobs ?? [])],
    tags: (repository) => [...(state.repositories.get(repository)?.tags() ?? [])],
    manifest: (name, reference) => {
      const repository = state.repositories.get(name)
      const digest = isDigest(reference) ? reference : repository?.resolve(reference)
      return digest === undefined ? undefined : repository?.manifest(digest)
    },
    blob: async (repository, digest) => {
      const size = state.repositories.get(repository)?.blobs.has(digest)
        ? state.storage.size(digest)
        : undefined
      const bytes = size === undefined ? undefined : state.storage.read(digest, {start: 0, end: size})
      return bytes === undefined ? undefined : readAll(bytes, {limit: size ?? 0, what: digest})
    },
    fsck: () => checkAll(state.repositories.values(), state.storage),
    addBlob: async (repository, bytes, algorithm = 'sha256') => {
      const digest = digestOf(bytes, algorithm)
      const writer = await state.storage.writer(algorithm)
      await writer.write(bytes)
      await writer.commit(digest)
      state.open(repository).blobs.add(digest)
      return digest
    },
    addManifest: (manifest) => storeManifest(state, manifest),
    loseBlob: (repository, digest) => {
      state.repositories.get(repository)?.blobs.delete(digest)
    },
    spoilBlob: async (digest, bytes) => {
      const writer = await state.storage.writer('sha256')
      await writer.write(bytes)
      await writer.commit(digest)
    },
    clearLog: () => {
      state.log.requests.length = 0
      state.log.commits.length = 0
      state.log.bytesReceived = 0
      state.log.blobBytes.clear()
    },
  }
}

function gateOf({auth}: RegistryOptions, tokens: TokenServer | undefined): Gatekeeper {
  if (auth?.type === 'basic') return basicGate(auth.users)
  if (auth?.type === 'token' && tokens !== undefined) {
    return tokenGate(tokens, {refusal: auth.refusal ?? 403})
  }
  return openGate()
}

async function openStorage(storage: RegistryOptions['storage']): Promise<Storage> {
  if (storage === undefined) return memoryStorage()
  return 'directory' in storage ? directoryStorage(storage.directory) : memoryStorage(storage.keepContentUpTo)
}

async function dropUploads(state: RegistryState): Promise<void> {
  await Promise.all([...state.uploads.values()].map((session) => dropSession(session, state.uploads)))
}
