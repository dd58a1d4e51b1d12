import {explained, shown, type Contents} from './cluster-kit.js'

export const CONF = '/etc/containers/registries.conf'
export const DIGEST = `sha256:${'ab'.repeat(32)}`

/** A mirror for gcr.io. */
export const MIRRORED = `[[registry]]
location = "gcr.io"
[[registry.mirror]]
location = "mirror.example.net:5443/gcr"
`

/** Returns the tries with the given registries.conf, or with the given files. */
export function tried(reference: string, files: Contents | string, as = 'podman'): readonly string[] {
  return shown(explained(reference, as, typeof files === 'string' ? {[CONF]: files} : files))
}

export function warned(reference: string, files: Contents | string, as = 'podman'): readonly string[] {
  return explained(reference, as, typeof files === 'string' ? {[CONF]: files} : files).warnings
}
