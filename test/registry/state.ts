import type {Registry} from '@airgap-mirror/cli/server'
import {checkContent} from './contents.js'
import type {RegistryOptions} from './options.js'
import {Repository} from './repository.js'
import {createLog, type RequestLog} from './request-log.js'
import type {ScriptedSession} from './scripted-session.js'
import type {Storage} from './storage.js'

/** The registry that the protocol sees, and everything that the scripted behaviour around it needs. */
export interface RegistryState extends Registry {
  readonly options: RegistryOptions
  readonly storage: Storage
  readonly log: RequestLog
  readonly repositories: Map<string, Repository>
  readonly uploads: Map<string, ScriptedSession>
  /** `_sig` values that let a request in at the second origin. */
  readonly signatures: Set<string>
  /** Breaches of "content first" and of the chunk minimum, as sentences. */
  readonly violations: string[]
  open(name: string): Repository
  /** `scheme://host:port` of the second origin, once it listens. */
  otherOrigin: string
  /** Requests that are worked on. */
  active: number
}

export function createState(options: RegistryOptions, storage: Storage): RegistryState {
  const repositories = new Map<string, Repository>()
  const violations: string[] = []
  const open = (name: string): Repository => {
    const existing = repositories.get(name)
    if (existing !== undefined) return existing
    const made = new Repository({
      name,
      storage,
      check: (manifest, repository) => checkContent(manifest, {repository, storage, options, violations}),
    })
    repositories.set(name, made)
    return made
  }
  return {
    options,
    storage,
    log: createLog(),
    repositories,
    uploads: new Map(),
    signatures: new Set(),
    violations,
    names: () => repositories.keys(),
    find: (name) => repositories.get(name),
    open,
    pageSize: options.maxPage ?? 1000,
    otherOrigin: '',
    active: 0,
  }
}

/** Returns true if the repository exists, or a push would create it. */
export function mayExist({options}: RegistryState, name: string): boolean {
  return (
    options.projects === undefined ||
    options.projects.some((project) => name === project || name.startsWith(`${project}/`))
  )
}
