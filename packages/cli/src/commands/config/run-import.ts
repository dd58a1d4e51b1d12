import {limits} from '@airgap-mirror/oci-client/model'
import {importConfig} from '../../job/import/import-config.js'
import type {ImportFormat} from '../../job/import/import-formats.js'
import {warningLine} from '../../render/event-line.js'
import {readTextFile} from '../../files/read-file.js'

/**
 * Writes the job file to standard output and warnings to standard error.
 * @throws {MirrorError} CONFIG_INVALID, LIMIT_EXCEEDED
 */
export async function runConfigImport({
  file,
  from = 'auto',
}: {
  readonly file: string
  readonly from?: ImportFormat
}): Promise<void> {
  const text = await readTextFile(file, {
    flag: 'config import',
    limit: limits.listBytes,
    code: 'CONFIG_INVALID',
  })
  const imported = await importConfig(text, {name: file === '-' ? 'standard input' : file, from})
  for (const warning of imported.warnings) process.stderr.write(warningLine(warning))
  process.stdout.write(imported.text)
}
