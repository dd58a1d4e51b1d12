import {isRegistry, isRepository, MirrorError} from '@airgap-mirror/oci-client/model'

/**
 * Splits `HOST[:PORT][/NAMESPACE]`.
 * @throws {MirrorError} USAGE
 */
export function parseRegistryTarget(text: string): {registry: string; namespace: string} {
  if (text.includes('@')) {
    // The part before it may be a password, so the message does not repeat the value.
    throw new MirrorError('USAGE', '--private-registry has a login, or something else with an @, in it', {
      side: 'target',
      advice: {kind: 'give-login-apart'},
    })
  }
  if (/^[a-z]+:\/\//i.test(text)) {
    throw new MirrorError('USAGE', `--private-registry ${JSON.stringify(text)} has a scheme`, {
      side: 'target',
      advice: {kind: 'leave-out-scheme'},
    })
  }
  const slash = text.indexOf('/')
  const registry = slash < 0 ? text : text.slice(0, slash)
  const namespace = slash < 0 ? '' : text.slice(slash + 1).replace(/\/+$/, '')
  refusePort(registry, text)
  if (!isRegistry(registry)) throw notATarget(text, 'is not HOST[:PORT][/NAMESPACE]')
  if (namespace !== '') refuseNamespace(namespace, {registry, text})
  return {registry, namespace}
}

/** @throws {MirrorError} USAGE saying which rule of repository names it breaks */
function refuseNamespace(
  namespace: string,
  {registry, text}: {readonly registry: string; readonly text: string},
): void {
  if (namespace === 'v2' || namespace.startsWith('v2/')) {
    const rest = namespace.slice(2)
    throw new MirrorError(
      'USAGE',
      `--private-registry ${JSON.stringify(text)} names the API of the registry, /v2/, but nodes do not look for images there`,
      {hint: `Write ${registry}${rest}: every client puts /v2/ in front by itself.`},
    )
  }
  if (isRepository(namespace)) return
  const why = /[A-Z]/.test(namespace)
    ? 'has capital letters in its namespace, which registries do not take'
    : namespace.includes('//')
      ? 'has an empty component in its namespace: two slashes in a row'
      : `has the namespace ${JSON.stringify(namespace)}, which is not a valid repository name`
  throw notATarget(text, why)
}

/** @throws {MirrorError} USAGE for a port that no host has */
function refusePort(registry: string, text: string): void {
  const port = /:(\d+)$/.exec(registry)?.[1]
  if (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)) return
  throw notATarget(text, `has the port ${port}: ports are from 1 to 65535`)
}

function notATarget(text: string, why: string): MirrorError {
  return new MirrorError('USAGE', `--private-registry ${JSON.stringify(text)} ${why}`, {
    hint: 'Write HOST[:PORT][/NAMESPACE], such as registry.example:5000/mirror.',
  })
}
