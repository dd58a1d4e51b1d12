import {dirname, resolve} from 'node:path'
import {limits} from '@airgap-mirror/oci-client/model'
import {readTextFile} from '../files/read-file.js'
import type {Variables} from './expand-variables.js'
import type {JobFile} from './job.js'
import {parseJobFile} from './parse-job-file.js'

/**
 * Reads the job file that `--config` names; `-` is standard input, whose file names are relative to the working directory.
 * @throws {MirrorError} CONFIG_INVALID, LIMIT_EXCEEDED
 */
export async function readJobFile(path: string, variables: Variables): Promise<JobFile> {
  const text = await readTextFile(path, {flag: '--config', limit: limits.listBytes, code: 'CONFIG_INVALID'})
  const isStandardInput = path === '-'
  return parseJobFile(text, {
    name: isStandardInput ? 'standard input' : path,
    directory: isStandardInput ? resolve('.') : dirname(resolve(path)),
    variables,
  })
}
