import type {NodeFiles} from '../files/node-files.js'

/** The user whose configuration files count besides the system's. */
export interface NodeUser {
  readonly name: string
  readonly home: string
  /** Directories for login files, in order. */
  readonly runtimeAuth: readonly string[]
}

const ROOT: NodeUser = {
  name: 'root',
  home: '/root',
  runtimeAuth: ['/run/user/0/containers/auth.json', '/run/containers/0/auth.json'],
}

const OWN_FILES = /^\/home\/([^/]+)\/(?:\.config\/containers|\.docker)\//

/** The user whose home directory has files of containers/image, if there is only one such user; else root. */
export function nodeUser(files: NodeFiles): NodeUser {
  const names = new Set(
    files.paths.map((path) => OWN_FILES.exec(path)?.[1]).filter((name) => name !== undefined),
  )
  const [name] = names
  const isRoots = files.paths.some((path) => /^\/root\/(?:\.config\/containers|\.docker)\//.test(path))
  if (name === undefined || names.size > 1 || isRoots) return ROOT
  const runtimeAuth = files.paths.filter((path) =>
    /^\/run\/user\/[1-9]\d*\/containers\/auth\.json$/.test(path),
  )
  return {name, home: `/home/${name}`, runtimeAuth}
}

export function rootUser(): NodeUser {
  return ROOT
}
