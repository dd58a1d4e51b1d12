import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {Ajv, type ValidateFunction} from 'ajv'
import {findTool, runChild, type ChildResult} from '@airgap-mirror/test/kit'
import {readDeployed, readYaml} from '../docs/examples.js'
import {root} from '../docs/pages.js'

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {readonly name: string; readonly labels?: Readonly<Record<string, string>>}
  readonly spec?: unknown
  readonly data?: Readonly<Record<string, string>>
}

const ajv = new Ajv({allErrors: true, strict: false})
ajv.addSchema(
  JSON.parse(readFileSync(join(root, 'test/deploy/kubernetes-1.35.schema.json'), 'utf8')) as object,
  'kubernetes',
)
const GROUPS: Readonly<Record<string, string>> = {v1: 'core.v1', 'batch/v1': 'batch.v1'}

/** Returns the faults of a manifest by the schemas of Kubernetes. A field that Kubernetes does not know is a fault. */
export function faultsOfManifest(manifest: Manifest): readonly string[] {
  const name = `io.k8s.api.${GROUPS[manifest.apiVersion] ?? manifest.apiVersion}.${manifest.kind}`
  return faultsBy(ajv.getSchema(`kubernetes#/definitions/${name}`), manifest)
}

/** Returns the faults of a chart's values by its schema. */
export function faultsOfValues(values: unknown): readonly string[] {
  const schema = JSON.parse(readDeployed('helm/mirror/values.schema.json')) as object
  return faultsBy(new Ajv({allErrors: true}).compile({...schema, $schema: undefined}), values)
}

function faultsBy(validate: ValidateFunction | undefined, value: unknown): readonly string[] {
  if (validate === undefined) return ['there is no schema for it']
  void validate(value)
  return (validate.errors ?? []).map(
    ({instancePath, message, params}) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
  )
}

/** Runs the `kubectl` on PATH. */
export function kubectl(args: readonly string[]): Promise<ChildResult> {
  return runChild(findTool('kubectl') ?? 'kubectl', args)
}

export function manifestsIn(text: string): readonly Manifest[] {
  return readYaml(text) as readonly Manifest[]
}
