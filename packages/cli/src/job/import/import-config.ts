import {MirrorError} from '@airgap-mirror/oci-client/model'
import {readYaml} from '../read-yaml.js'
import {fromRegsync} from './from-regsync.js'
import {fromSkopeo} from './from-skopeo.js'
import type {ImportFormat} from './import-formats.js'
import {writeDraft} from './write-draft.js'

export interface Imported {
  /** A job file. */
  readonly text: string
  /** Settings that have no counterpart or mean something else here. The file has them too, as comments. */
  readonly warnings: readonly string[]
}

/**
 * Makes a job file of the YAML of `skopeo sync` or of regsync. Secrets are not copied: variables stand for them.
 * @param options.name the name of the file in messages
 * @throws {MirrorError} CONFIG_INVALID naming everything that is wrong with the file, LIMIT_EXCEEDED
 */
export async function importConfig(
  text: string,
  {name, from}: {readonly name: string; readonly from: ImportFormat},
): Promise<Imported> {
  const {value, problems} = await readYaml(text, {name, scalars: 'strings'})
  const format = from === 'auto' ? formatOf(value, name) : from
  const draft = format === 'skopeo' ? fromSkopeo(value, problems) : fromRegsync(value, problems)
  problems.throwIfAny({advice: {kind: 'name-import-format'}})
  const header = [
    'yaml-language-server: $schema=mirror.schema.json',
    `Made by mirror config import from a file of ${format === 'skopeo' ? 'skopeo sync' : 'regsync'}.`,
  ]
  return {text: await writeDraft(draft, header), warnings: draft.remarks.map((remark) => remark.text)}
}

/** regsync's file has a list `sync`; skopeo's has hosts with `images` in one of three forms. */
function formatOf(value: unknown, name: string): 'skopeo' | 'regsync' {
  if (isRecord(value)) {
    if (Array.isArray(value['sync'])) return 'regsync'
    const isHost = (one: unknown): boolean =>
      isRecord(one) && Object.keys(one).some((key) => key.startsWith('images'))
    if (Object.values(value).some(isHost)) return 'skopeo'
  }
  throw new MirrorError('CONFIG_INVALID', `${name} is neither a file of skopeo sync nor one of regsync`, {
    advice: {kind: 'name-import-format'},
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
