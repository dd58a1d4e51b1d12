import {posix, win32} from 'node:path'

/** A file that may hold credentials, or the text of one from a variable. */
export interface CredentialFile {
  /** For a `text`, the name of the variable. */
  readonly path: string
  readonly kind: 'docker' | 'podman' | 'dockercfg'
  readonly text?: string
  /** The user named this file, so it is an error if the file is missing or cannot be read. */
  readonly named?: boolean
}

/** The facts about a process that decide where its logins are. The library never reads them itself. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly uid: number | undefined
  readonly platform: NodeJS.Platform
}

/**
 * Returns the places where docker and podman keep logins (docker/cli config.md, containers-auth.json.5), in search
 * order. Places named by a variable come before the usual places.
 */
export function usualCredentialFiles({env, home, uid, platform}: Surroundings): readonly CredentialFile[] {
  const paths = platform === 'win32' ? win32 : posix
  const value = (name: string): string | undefined => (env[name] === '' ? undefined : env[name])
  const files: CredentialFile[] = []
  const authFile = value('REGISTRY_AUTH_FILE')
  if (authFile !== undefined) files.push({path: authFile, kind: 'podman'})
  const inline = value('DOCKER_AUTH_CONFIG')
  if (inline !== undefined) files.push({path: '$DOCKER_AUTH_CONFIG', kind: 'docker', text: inline})
  const dockerDirectory = value('DOCKER_CONFIG')
  if (dockerDirectory !== undefined)
    files.push({path: paths.join(dockerDirectory, 'config.json'), kind: 'docker'})

  const podman = (directory: string): CredentialFile => ({
    path: paths.join(directory, 'containers', 'auth.json'),
    kind: 'podman',
  })
  const runtime = value('XDG_RUNTIME_DIR')
  if (runtime !== undefined) files.push(podman(runtime))
  else if (platform === 'linux' && uid !== undefined) {
    files.push({path: `/run/containers/${uid}/auth.json`, kind: 'podman'})
  }
  files.push(podman(value('XDG_CONFIG_HOME') ?? paths.join(home, '.config')))
  if (dockerDirectory === undefined)
    files.push({path: paths.join(home, '.docker', 'config.json'), kind: 'docker'})
  files.push({path: paths.join(home, '.dockercfg'), kind: 'dockercfg'})
  return files
}
