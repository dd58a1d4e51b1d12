import {dirname, resolve} from 'node:path'
import {limits} from '@airgap-mirror/oci-client/model'
import {readTextFile} from '../files/read-file.js'
import {parseSourceMirrors} from './parse-source-mirrors.js'
import type {SourceMirrors} from './source-mirrors.js'

/**
 * Reads the file that `--source-mirrors` names; `-` is standard input, whose file names are relative to the working directory.
 * @throws {MirrorError} CONFIG_INVALID, LIMIT_EXCEEDED
 */
export async function readSourceMirrors(path: string): Promise<SourceMirrors> {
  const text = await readTextFile(path, {
    flag: '--source-mirrors',
    limit: limits.listBytes,
    code: 'CONFIG_INVALID',
  })
  const isStandardInput = path === '-'
  return parseSourceMirrors(text, {
    name: isStandardInput ? 'standard input' : path,
    directory: isStandardInput ? resolve('.') : dirname(resolve(path)),
  })
}
