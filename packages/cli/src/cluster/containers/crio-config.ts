import {messageOf} from '@airgap-mirror/oci-client/model'
import {fileNamesIn, type NodeFiles} from '../files/node-files.js'
import {readToml} from '../toml/read-toml.js'
import type {ShortNameMode} from './registries.js'
import {fieldsOf} from './toml-fields.js'

/** The part of crio.conf and its drop-ins that decides how images are pulled. */
export interface CrioConfig {
  readonly globalAuthFile: string | undefined
  readonly signaturePolicy: string | undefined
  readonly shortNameMode: ShortNameMode
  readonly warnings: readonly string[]
}

const FILE = '/etc/crio/crio.conf'
const DROP_INS = '/etc/crio/crio.conf.d'

/**
 * Reads `[crio.image]` of crio.conf, then of each drop-in; a later value wins.
 * @throws {Error} if a file cannot be read: then CRI-O does not start
 */
export function readCrioConfig(files: NodeFiles): CrioConfig {
  const paths = [FILE, ...fileNamesIn(files, DROP_INS).map((name) => `${DROP_INS}/${name}`)]
  const values = new Map<'global_auth_file' | 'signature_policy' | 'short_name_mode', string>()
  const warnings: string[] = []
  for (const path of paths) {
    const text = files.text(path)
    if (text === undefined) continue
    try {
      readOne(text, {path, values, warnings})
    } catch (cause) {
      throw new Error(`unable to load crio config ${path}: ${messageOf(cause)}`, {cause})
    }
  }
  const globalAuthFile = values.get('global_auth_file') ?? ''
  const signaturePolicy = values.get('signature_policy') ?? ''
  return {
    shortNameMode: values.get('short_name_mode') === 'disabled' ? 'disabled' : 'enforcing',
    warnings,
    globalAuthFile: globalAuthFile === '' ? undefined : globalAuthFile,
    signaturePolicy: signaturePolicy === '' ? undefined : signaturePolicy,
  }
}

function readOne(
  text: string,
  {
    path,
    values,
    warnings,
  }: {
    readonly path: string
    readonly values: Map<string, string>
    readonly warnings: string[]
  },
): void {
  const reading = readToml(text)
  if (reading.document === undefined)
    throw new Error(`toml: line ${reading.fault.line}: ${reading.fault.message}`)
  const image = reading.document.root.table('crio', 'image')
  if (image === undefined) return
  const fields = fieldsOf(image, {key: 'crio.image'})
  for (const key of ['global_auth_file', 'signature_policy', 'short_name_mode']) {
    const value = fields.text(key)
    if (value !== undefined) values.set(key, value)
  }
  for (const key of ['insecure_registries', 'registries']) {
    const node = image.get(key)
    if (node !== undefined)
      warnings.push(`${path}:${node.line}: ${key} has no effect any more; registries.conf decides`)
  }
}
