import {chmod, lstat, mkdir, readFile, stat, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {makeTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {runLogin} from '#src/commands/login/run-login.js'
import {runLogout} from '#src/commands/logout/run-logout.js'
import {parseRegistryHost} from '#src/names/registry-host.js'

const users = [{name: 'pusher', password: 'right: one'}]
const auth = Buffer.from('pusher:right: one').toString('base64')

let directory: TempDir
let path: string | undefined
beforeAll(async () => {
  directory = await makeTempDir()
  path = process.env['PATH']
  process.env['PATH'] = `${directory.path}:${path}`
})
afterAll(async () => {
  process.env['PATH'] = path
  await directory.remove()
})

let count = 0
async function config(content: object): Promise<string> {
  const file = join(directory.path, `config-${++count}.json`)
  await writeFile(file, JSON.stringify(content))
  return file
}

async function read(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8')) as unknown
}

function flags(file: string, password = 'right: one') {
  return {username: 'pusher', password, 'plain-http': true, 'docker-config': file}
}

/** A helper that keeps logins in a file, and the file. */
async function helper(name: string): Promise<string> {
  const store = join(directory.path, `${name}.store`)
  const script = join(directory.path, `docker-credential-${name}`)
  await writeFile(
    script,
    `#!/bin/sh
case $1 in
store) cat >'${store}' ;;
erase) test -s '${store}' || { echo 'credentials not found in native keychain'; exit 1; }; : >'${store}' ;;
*) exit 1 ;;
esac
`,
  )
  await chmod(script, 0o755)
  await writeFile(store, '')
  return store
}

describe.each([['basic'], ['token']] as const)('a registry with %s authentication', (type) => {
  test('is logged in to: the login is kept for its user alone, beside everything else', async () => {
    await using registry = await startRegistry({auth: {type, users}})
    const file = await config({auths: {'other:5000': {auth: 'eDp5'}}, psFormat: 'x'})
    await chmod(file, 0o644)
    await runLogin(registry.host, flags(file))
    expect(await read(file)).toEqual({
      auths: {'other:5000': {auth: 'eDp5'}, [registry.host]: {auth}},
      psFormat: 'x',
    })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await runLogout(registry.host, {'docker-config': file})
    expect(await read(file)).toEqual({auths: {'other:5000': {auth: 'eDp5'}}, psFormat: 'x'})
  })

  test('refuses a wrong password, which is not kept', async () => {
    await using registry = await startRegistry({auth: {type, users}})
    const file = await config({auths: {[registry.host]: {auth}}})
    const before = await readFile(file, 'utf8')
    await expect(runLogin(registry.host, flags(file, 'wrong'))).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      side: 'target',
    })
    expect(await readFile(file, 'utf8')).toBe(before)
  })
})

test.each([
  ['for all registries', (name: string) => ({credsStore: name}), 'all'],
  ['for the registry', (name: string, host: string) => ({credHelpers: {[host]: name}}), 'own'],
])('a helper %s keeps the login, and gives it up', async (_which, names, name) => {
  await using registry = await startRegistry({auth: {type: 'basic', users}})
  const store = await helper(name)
  const file = await config(names(name, registry.host))
  await runLogin(registry.host, flags(file))
  expect(await read(store)).toEqual({ServerURL: registry.host, Username: 'pusher', Secret: 'right: one'})
  expect(await read(file)).toEqual({...names(name, registry.host), auths: {[registry.host]: {}}})
  await runLogout(registry.host, {'docker-config': file})
  expect(await readFile(store, 'utf8')).toBe('')
  expect(await read(file)).toEqual({...names(name, registry.host), auths: {}})
  await runLogout(registry.host, {'docker-config': file})
})

test('a helper that is missing is an error, and the password does not go into the file instead', async () => {
  await using registry = await startRegistry({auth: {type: 'basic', users}})
  const file = await config({credsStore: 'nowhere'})
  await expect(runLogin(registry.host, flags(file))).rejects.toMatchObject({
    code: 'CREDENTIALS_INVALID',
    message: 'docker-credential-nowhere is not installed',
  })
  expect(await read(file)).toEqual({credsStore: 'nowhere'})
})

test('a file and its directory that do not exist yet are made for their user alone', async () => {
  await using registry = await startRegistry({auth: {type: 'basic', users}})
  const file = join(directory.path, 'new', 'deep', 'auth.json')
  await runLogin(registry.host, flags(file))
  expect(await read(file)).toEqual({auths: {[registry.host]: {auth}}})
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(join(directory.path, 'new'))).mode & 0o777).toBe(0o700)
})

test('a link to a file stays a link, and the file behind it is written', async () => {
  await using registry = await startRegistry({auth: {type: 'basic', users}})
  await mkdir(join(directory.path, 'dotfiles'))
  const real = join(directory.path, 'dotfiles', 'config.json')
  await writeFile(real, '{}')
  const link = join(directory.path, 'link.json')
  await symlink(real, link)
  await runLogin(registry.host, flags(link))
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect(await read(real)).toEqual({auths: {[registry.host]: {auth}}})
})

test('a file that is no Docker config is left as it is', async () => {
  await using registry = await startRegistry({auth: {type: 'basic', users}})
  const file = join(directory.path, 'broken.json')
  await writeFile(file, '{"auths":')
  await expect(runLogin(registry.host, flags(file))).rejects.toMatchObject({code: 'CREDENTIALS_INVALID'})
  expect(await readFile(file, 'utf8')).toBe('{"auths":')
})

test.each([
  ['registry.example:5000', 'registry.example:5000'],
  ['https://registry.example/', 'registry.example'],
  ['https://index.docker.io/v1/', 'index.docker.io'],
])('the registry %s is %s', (text, host) => {
  expect(parseRegistryHost(text)).toBe(host)
})

test.each(['registry.example/team', 'user:secret@registry.example', 'not a host', ''])(
  'the registry %j is a usage error that does not repeat a password',
  (text) => {
    expect(() => parseRegistryHost(text)).toThrow(expect.objectContaining({code: 'USAGE'}) as Error)
    expect(() => parseRegistryHost(text)).not.toThrow('secret')
  },
)
