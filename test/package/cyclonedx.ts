import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {Ajv} from 'ajv'

const library = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')

function schema(name: string): object {
  const path = join(dirname(library), 'res/schema', `${name}.SNAPSHOT.schema.json`)
  return JSON.parse(readFileSync(path, 'utf8')) as object
}

/** Returns where a document breaks CycloneDX's own schema of version 1.6; empty if it does not. */
export function sbomFaults(document: unknown): readonly string[] {
  const formats = {
    'date-time': (text: string): boolean => !Number.isNaN(Date.parse(text)),
    // The documents under test have no such fields.
    'iri-reference': true,
    'idn-email': true,
    uri: true,
  } as const
  const ajv = new Ajv({strict: false, allErrors: true, formats})
  for (const name of ['spdx', 'jsf-0.82']) {
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  }
  ajv.validate(schema('bom-1.6'), document)
  return (ajv.errors ?? []).map(({instancePath, message}) => `${instancePath} ${message}`)
}
