import {isRegistry, MirrorError} from '@airgap-mirror/oci-client/model'

/**
 * Reads `HOST[:PORT]`, the argument of `login` and `logout`.
 * @throws {MirrorError} USAGE; what may be a password in it is not repeated
 */
export function parseRegistryHost(text: string): string {
  const hint = 'Write HOST[:PORT], such as registry.example:5000.'
  if (text.includes('@')) {
    throw new MirrorError('USAGE', 'the registry has a login, or something else with an @, in it', {hint})
  }
  const host = text.replace(/^https?:\/\//i, '').replace(/\/(?:v[12]\/?)?$/, '')
  if (host.includes('/')) {
    throw new MirrorError('USAGE', `${JSON.stringify(text)} has a path: a login is for the whole registry`, {
      hint,
    })
  }
  if (!isRegistry(host)) throw new MirrorError('USAGE', `${JSON.stringify(text)} is not HOST[:PORT]`, {hint})
  return host
}
