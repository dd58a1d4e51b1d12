import type {Digest} from '@airgap-mirror/oci-client/model'
import type {RegistryOptions} from './options.js'
import {createLog, type RequestLog} from './request-log.js'
import type {Storage} from './storage.js'
import type {UploadSession} from './upload-session.js'

export interface StoredManifest {
  readonly mediaType: string
  readonly digest: Digest
  readonly bytes: Uint8Array
}

export interface Repository {
  readonly blobs: Set<Digest>
  readonly manifests: Map<Digest, StoredManifest>
  readonly tags: Map<string, Digest>
}

/** Everything the handlers share. */
export interface RegistryState {
  readonly options: RegistryOptions
  readonly storage: Storage
  readonly log: RequestLog
  readonly repositories: Map<string, Repository>
  readonly uploads: Map<string, UploadSession>
  /** `_sig` values that let a request in at the second origin. */
  readonly signatures: Set<string>
  /** Breaches of "content first" and of the chunk minimum, as sentences. */
  readonly violations: string[]
  /** `scheme://host:port` of the second origin, once it listens. */
  otherOrigin: string
  /** Requests that are worked on. */
  active: number
}

export function createState(options: RegistryOptions, storage: Storage): RegistryState {
  return {
    options,
    storage,
    log: createLog(),
    repositories: new Map(),
    uploads: new Map(),
    signatures: new Set(),
    violations: [],
    otherOrigin: '',
    active: 0,
  }
}

export function repositoryOf(state: RegistryState, name: string): Repository | undefined {
  return state.repositories.get(name)
}

export function makeRepository(state: RegistryState, name: string): Repository {
  const existing = state.repositories.get(name)
  if (existing !== undefined) return existing
  const made: Repository = {blobs: new Set(), manifests: new Map(), tags: new Map()}
  state.repositories.set(name, made)
  return made
}

/** Returns true if the repository exists, or a push would create it. */
export function mayExist({options}: RegistryState, name: string): boolean {
  return (
    options.projects === undefined ||
    options.projects.some((project) => name === project || name.startsWith(`${project}/`))
  )
}
