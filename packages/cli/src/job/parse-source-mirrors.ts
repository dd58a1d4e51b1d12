import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {parseRegistriesConf} from './registries-conf.js'
import {parseRegistriesYaml} from './registries-yaml.js'
import type {ParseMirrorsOptions, SourceMirrors} from './source-mirrors.js'

/**
 * Reads either file, told apart by content: one is TOML, the other YAML.
 * @throws {MirrorError} CONFIG_INVALID, LIMIT_EXCEEDED
 */
export async function parseSourceMirrors(text: string, options: ParseMirrorsOptions): Promise<SourceMirrors> {
  if (text.length > limits.listBytes) {
    throw new MirrorError('LIMIT_EXCEEDED', `${options.name} is over the limit of ${limits.listBytes} bytes`)
  }
  if (isToml(text)) return parseRegistriesConf(text, options)
  return parseRegistriesYaml(text, options)
}

/** Whether the first line that says something is a table or an assignment. */
function isToml(text: string): boolean {
  const line = text.split('\n').find((candidate) => /^\s*[^\s#]/.test(candidate)) ?? ''
  return /^\s*(?:\[|["\w.-]+\s*=)/.test(line)
}
