import {canonicalRegistry} from '@airgap-mirror/oci-client/model'
import {checkJobFile} from './check-job-file.js'
import {checkSchema} from './check-schema.js'
import {expandVariables, type Variables} from './expand-variables.js'
import type {JobFile} from './job.js'
import {readJob, readRegistry} from './read-job.js'
import type {RawJobFile} from './raw-job.js'
import {readYaml} from './read-yaml.js'
import {jobSchema} from './schema.js'

export interface ParseJobFileOptions {
  /** The name of the file in messages. */
  readonly name: string
  /** Names of files in it are relative to this one; absolute. */
  readonly directory: string
  /** The values for `${NAME}`. */
  readonly variables: Variables
}

/**
 * Reads `mirror.yaml`: its jobs, and how to reach registries.
 * @throws {MirrorError} CONFIG_INVALID naming everything that is wrong with its line and its place, without the value of any
 * variable; LIMIT_EXCEEDED
 */
export async function parseJobFile(text: string, options: ParseJobFileOptions): Promise<JobFile> {
  const {name, directory, variables} = options
  const {value, problems} = await readYaml(text, {name})
  const expanded = expandVariables(value, variables, problems)
  checkSchema(expanded.value, {schema: jobSchema, problems, secret: expanded.secret})
  checkJobFile(expanded.value, problems)
  problems.throwIfAny({hint: HINT})
  const {registries = {}, defaults = {}, jobs} = expanded.value as RawJobFile
  return {
    registries: new Map(
      Object.entries(registries).map(([host, raw]) => [
        canonicalRegistry(host),
        readRegistry(raw, directory),
      ]),
    ),
    jobs: jobs.map((job) => readJob({...defaults, ...job}, directory)),
  }
}

const HINT = 'Editors show such problems while you type: see docs/job-file.md.'
