import {appendFile, chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {openBundle} from '@airgap-mirror/bundle'
import {openRegistry} from '@airgap-mirror/oci-client'
import {makeTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {readNodeFiles} from '#src/cluster/files/read-node-files.js'
import {imagesToCheck} from '#src/commands/config/images-to-check.js'
import {readEmitSettings} from '#src/commands/config/emit-settings.js'
import {runConfigEmit} from '#src/commands/config/run-emit.js'
import {runConfigImport} from '#src/commands/config/run-import.js'
import {readSaveSettings} from '#src/commands/save/save-settings.js'
import {readPushSettings} from '#src/commands/push/push-settings.js'
import {readJobFile} from '#src/job/read-job-file.js'
import type {RegistrySettings} from '#src/job/job.js'
import {readSourceMirrors} from '#src/job/read-source-mirrors.js'
import {exitCodeOfError} from '#src/report/exit-code.js'
import {openCredentials} from '#src/run/credentials.js'
import type {Run} from '#src/run/run.js'
import {connectionOptions} from '#src/settings/registry-options.js'
import {flagReader} from '#src/settings/flag-values.js'
import {readVerifyKey} from '#src/settings/signature-settings.js'
import {formatError} from '#src/text/format-error.js'

/** Reports and lists of pods need no more of a run than its warnings. */
const run = {warn: () => {}} as unknown as Run

let directory: TempDir
function at(name: string): string {
  return join(directory.path, name)
}

beforeAll(async () => {
  directory = await makeTempDir()
  await mkdir(at('directory'))
  await writeFile(at('empty'), '')
  await writeFile(at('binary'), Buffer.from([0x30, 0x82, 0x00, 0xff, 0xfe, 0x80, 0x00, 0x0a, 0xc3]))
  await writeFile(at('unreadable'), 'secret')
  await chmod(at('unreadable'), 0)
  await writeFile(at('ca.pem'), '-----BEGIN CERTIFICATE-----\n')
  await writeFile(at('list.txt'), 'gcr.io/team/app:v1\n')
})
afterAll(async () => {
  await directory.remove()
})

/** Root may read every file; this one can be opened and not read. */
const unreadable = process.getuid?.() === 0 ? '/proc/self/mem' : 'unreadable'

async function connect(settings: RegistrySettings): Promise<void> {
  const options = await connectionOptions(settings, 'target')
  const registry = openRegistry({...options, registry: 'registry.invalid'})
  await registry[Symbol.asyncDispose]()
}

async function logIn(settings: RegistrySettings): Promise<void> {
  const suspend = () => () => {}
  const provider = await openCredentials(settings, {registry: 'registry.invalid', side: 'target', suspend})
  await provider({registry: 'registry.invalid', refused: false})
}

const push = {source: 'bundle.tar', 'private-registry': 'registry.invalid'}
const save = {output: 'bundle.tar'}

/** The words that say what the file is for, and how it is read. `emptyIsFine`: an empty file says nothing, which is allowed. */
interface FileFlag {
  readonly role: RegExp
  readonly read: (path: string) => unknown
  readonly emptyIsFine?: boolean
  /** Other kinds that are taken. */
  readonly takes?: readonly string[]
}

const flags: Readonly<Record<string, FileFlag>> = {
  '--source': {role: /source: /, read: (path) => openBundle(path)},
  '--images': {
    role: /--images|no line names an image/,
    read: (path) => readPushSettings({...push, images: [path]}),
  },
  '--map': {role: /--map/, read: (path) => readPushSettings({...push, map: path}), emptyIsFine: true},
  '--verify-key': {
    role: /--verify-key|has no readable key/,
    read: (path) => readVerifyKey(flagReader({'verify-key': path}), 'bundle.tar'),
  },
  '--sign-key': {
    role: /--sign-key|has no readable key/,
    read: (path) => readSaveSettings({...save, images: [at('list.txt')], 'sign-key': path}),
  },
  '--cacert': {role: /--cacert/, read: (path) => connect({cacert: path})},
  '--client-cert': {
    role: /--client-cert/,
    read: (path) => connect({clientCert: path, clientKey: at('list.txt')}),
  },
  '--docker-config': {
    role: /the Docker config/,
    read: (path) => logIn({dockerConfig: path}),
    emptyIsFine: true,
  },
  'password-file': {
    role: /password-file/,
    read: (path) => logIn({username: 'u', passwordFile: path}),
    emptyIsFine: true,
  },
  'service-account-key': {role: /service-account-key/, read: (path) => logIn({serviceAccountKey: path})},
  '--source-mirrors': {role: /--source-mirrors|mirror/, read: (path) => readSourceMirrors(path)},
  '--config': {role: /--config|job/, read: (path) => readJobFile(path, {})},
  'config import': {role: /config import|skopeo/, read: (path) => runConfigImport({file: path})},
  '--report': {
    role: /--report|report of a push/,
    read: (path) => imagesToCheck({from: 'report', path}, run),
  },
  '--pods': {
    role: /--pods|pod/,
    read: (path) => imagesToCheck({from: 'pods', paths: [path]}, run),
  },
  '--files': {
    role: /--files/,
    read: (path) => readNodeFiles(path),
    emptyIsFine: true,
    takes: ['directory', 'binary'],
  },
  '--signature-key': {
    role: /--signature-key|key/,
    read: (path) =>
      readEmitSettings({for: 'podman', host: ['gcr.io'], 'private-registry': 'r', 'signature-key': path}),
    emptyIsFine: true,
  },
  '--into': {
    role: /--into|bmctl/,
    read: (path) =>
      runConfigEmit({
        for: 'bmctl',
        host: ['gcr.io'],
        'private-registry': 'r',
        cacert: at('ca.pem'),
        into: path,
      }),
  },
}

describe.each(Object.entries(flags))('%s', (_flag, {role, read, emptyIsFine = false, takes = []}) => {
  test.each(['missing', 'directory', 'unreadable', 'empty', 'binary'])(
    'names a file that is %s, says what the file is for, and is exit code 2',
    async (kind) => {
      const path = kind === 'unreadable' && unreadable.startsWith('/') ? unreadable : at(kind)
      const error: unknown = await Promise.resolve()
        .then(() => read(path))
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
      if (process.env['SHOW_MESSAGES'] !== undefined)
        await appendFile(process.env['SHOW_MESSAGES'], formatError(error))
      const isFine = (kind === 'empty' && emptyIsFine) || (kind !== 'missing' && takes.includes(kind))
      expect(error === undefined).toBe(isFine)
      if (error === undefined) return
      const text = formatError(error)
      expect({text, exitCode: exitCodeOfError(error)}).toEqual({
        text: expect.stringMatching(role) as string,
        exitCode: 2,
      })
      expect(text).toContain(path)
      expect(text).not.toMatch(/\b(?:ENOENT|EACCES|EISDIR|ENOTDIR|EPERM)\b|, open|DECODER|a bug in mirror/)
    },
  )
})
