import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeTempDir, runMirror, type ChildResult} from '@airgap-mirror/test/kit'

/** A directory with lists, a CA and a key, in which `config emit` is run. */
export interface EmitStage {
  readonly path: string
  at(name: string): string
  /** A password is on the standard input. */
  emit(...args: readonly string[]): Promise<ChildResult>
  remove(): Promise<void>
}

const digest = `sha256:${'1'.repeat(64)}`

const FILES: Readonly<Record<string, string>> = {
  'ca.pem': '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmg\n-----END CERTIFICATE-----\n',
  'key.pub': '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n',
  'list.txt': `gcr.io/team/app:v1\ndocker.io/library/busybox:1.36\nquay.io/x/y.z@${digest}\n`,
  'gcr.txt': 'gcr.io/gke-on-prem-release/app:v1\n',
  'hub.txt': 'busybox:1.36\n',
  'digests.txt': `quay.io/x/y@${digest}\n`,
  'two.txt': 'gcr.io/team/app:v1 one/app:v1\ngcr.io/team/app:v2 two/app:v2\n',
  'own.txt': 'registry.example:5000/other/app:v1\n',
  'map.txt': 'gcr.io/team/app:v1 team/app:v9\n',
}

export const REGISTRY = ['--private-registry', 'registry.example:5000/mirror'] as const
export const LOGIN = ['--username', 'puller', '--password-stdin', '--inline-credentials'] as const
export const LIST = [...REGISTRY, '--images', 'list.txt', '--cacert', 'ca.pem'] as const
export const GCR = [
  '--private-registry',
  'registry.example',
  '--images',
  'gcr.txt',
  '--cacert',
  'ca.pem',
] as const

export async function openEmitStage(): Promise<EmitStage> {
  const directory = await makeTempDir()
  const {path} = directory
  const at = (name: string): string => join(path, name)
  await Promise.all(Object.entries(FILES).map(([name, text]) => writeFile(at(name), text)))
  return {
    path,
    at,
    emit: (...args) => runMirror(['config', 'emit', ...args], {cwd: path, stdin: 's3cret'}),
    remove: () => directory.remove(),
  }
}
