import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {runMirror, withTempDir} from '@airgap-mirror/test/kit'
import {startRegistry, type RegistryOptions} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'

const users = [{username: 'reader', password: 'open-sesame'}]
const always = Number.POSITIVE_INFINITY
const bare401: RegistryOptions = {
  faults: [{times: always, fault: {type: 'status', status: 401, body: 'no'}}],
}

test.each([
  ['asks for a login', {auth: {type: 'basic', users}}],
  ['asks for a token', {auth: {type: 'token', users}}],
  ['answers 401 without saying how to log in', bare401],
] as const)('A copy from a registry that %s names no flag of the target', async (_name, options) => {
  await withTempDir(async (directory) => {
    await using registry = await startRegistry(options as RegistryOptions)
    const {code, stderr} = await runMirror(
      argv`copy docker://${registry.host}/team/app:v1 oci:${join(directory, 'out')} --source-plain-http --source-retries 0 --no-state`,
      {cwd: directory},
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 1})
    expect(stderr).toMatch(
      /^hint: Give --source-username with --source-password-stdin or --source-docker-config FILE/m,
    )
    expect(stderr).not.toMatch(/--(?:username|password|docker-config)/)
  })
})

test('A copy of an lz4 file is told to decompress it, and not to push it', async () => {
  await withTempDir(async (directory) => {
    const path = join(directory, 'image.tar.lz4')
    await writeFile(path, Buffer.from('04224d1864', 'hex'))
    const {code, stderr} = await runMirror(argv`copy docker-archive:${path} dir:out --no-state`, {
      cwd: directory,
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^hint: Decompress it first with "lz4 -dc FILE > NEW\.tar"\.$/m)
    expect(stderr).not.toContain('push')
  })
})

test('A registry that cannot be used is named in a sentence', async () => {
  await withTempDir(async (directory) => {
    await using registry = await startRegistry(bare401)
    const {stderr} = await runMirror(
      argv`copy docker://${registry.host}/team/app:v1 docker://${registry.host}/team/b:v1 --source-plain-http --plain-http --retries 0 --source-retries 0 --no-state`,
      {cwd: directory},
    )
    expect(stderr).toContain(
      `cannot use the registry ${registry.host}: the registry answered 401 Unauthorized`,
    )
  })
})
