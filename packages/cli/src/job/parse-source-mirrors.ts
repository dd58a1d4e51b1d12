import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import type {ParseMirrorsOptions, SourceMirrors} from './source-mirrors.js'

/**
 * Reads a registries.conf, a registries.yaml or the mirror sets of OpenShift, told apart by content.
 * @throws {MirrorError} CONFIG_INVALID, LIMIT_EXCEEDED
 */
export async function parseSourceMirrors(text: string, options: ParseMirrorsOptions): Promise<SourceMirrors> {
  if (text.length > limits.listBytes) {
    throw new MirrorError('LIMIT_EXCEEDED', `${options.name} is over the limit of ${limits.listBytes} bytes`)
  }
  // loaded here because most runs have no such file
  if (isToml(text)) return (await import('./registries-conf.js')).parseRegistriesConf(text, options)
  const {parseMirrorSets} = await import('./mirror-sets.js')
  const {parseRegistriesYaml} = await import('./registries-yaml.js')
  return parseMirrorSets(text, options) ?? parseRegistriesYaml(text, options)
}

/** Returns true if the first line with content is a table or an assignment, or if there is none: comments are cheap in TOML. */
function isToml(text: string): boolean {
  const line = text.split('\n').find((candidate) => /^\s*[^\s#]/.test(candidate))
  return line === undefined || /^\s*(?:\[|["\w.-]+\s*=)/.test(line)
}
