import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  cleanEnvironment,
  lacksTool,
  makeImage,
  makeTempDir,
  mirrorProgram,
  runInTerminal,
  runMirror,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'

let directory: TempDir
let registry: TestRegistry
let home: string

beforeAll(async () => {
  directory = await makeTempDir()
  home = join(directory.path, 'home')
  await mkdir(join(home, '.run'), {recursive: true})
  registry = await startRegistry({auth: {type: 'basic', users: [{name: 'typist', password: 'not echoed'}]}})
})
afterAll(async () => {
  await registry.close()
  await directory.remove()
})

test('login without a terminal says what to give: exit code 2', async () => {
  const {code, stderr} = await runMirror(argv`login ${registry.host} --plain-http`, {home})
  expect({code}, `printed: ${stderr}`).toEqual({code: 2})
  expect(stderr).toMatch(/^error: login lacks a user name and a password.*\nhint: .*--password-stdin/)
})

describe.skipIf(lacksTool('script'))('at a terminal', () => {
  test('login asks, asks again after a wrong password, and push finds the login until logout', async () => {
    const {code, transcript} = await runInTerminal(
      process.execPath,
      [mirrorProgram(), ...argv`login ${registry.host} --plain-http`],
      {
        env: cleanEnvironment(home),
        dialogue: [
          {expect: /User name:/, send: 'typist\r'},
          {expect: /Password:/, send: 'mistyped\r'},
          {expect: /refused the credential/, send: ''},
          {expect: /User name:/, send: 'typist\r'},
          {expect: /Password:/, send: 'not echoed\r'},
        ],
      },
    )
    expect({code, transcript}).toMatchObject({code: 0})
    expect(transcript).not.toMatch(/mistyped|not echoed/)
    const config = join(home, '.docker', 'config.json')
    expect(transcript).toContain(`kept the login in ${config}`)
    const source = await writeOciBundle(directory.path, [
      named('gcr.io/team/app:v1', await makeImage({seed: 'login', layers: 1})),
    ])
    const push = argv`push --source ${source} --private-registry ${registry.host}/ns --plain-http`
    expect(await runMirror(push, {home})).toMatchObject({code: 0})
    expect(await runMirror(argv`logout ${registry.host}`, {home})).toMatchObject({
      code: 0,
      stderr: `removed the login for ${registry.host} from ${config}\n`,
    })
    expect(JSON.parse(await readFile(config, 'utf8'))).toEqual({auths: {}})
    expect(await runMirror(push, {home})).toMatchObject({code: 1})
  })
})

test('an empty password from standard input is refused before the registry is asked', async () => {
  const asked = registry.requests.length
  for (const command of [`login ${registry.host}`, `doctor --private-registry ${registry.host}`]) {
    const line = [...command.split(' '), ...argv`--plain-http --username typist --password-stdin`]
    const {code, stderr} = await runMirror(line, {stdin: '\n'})
    expect({code, stderr}).toMatchObject({code: 2})
    expect(stderr).toMatch(/^error: (?:\w+: )?--password-stdin: standard input has no password\nhint: /)
  }
  expect(registry.requests).toHaveLength(asked)
})

test('login warns of a login in a place that comes first', async () => {
  const own = join(directory.path, 'other')
  const first = join(own, '.config', 'containers', 'auth.json')
  await mkdir(join(own, '.config', 'containers'), {recursive: true})
  const auth = Buffer.from('old:old').toString('base64')
  await writeFile(first, JSON.stringify({auths: {[registry.host]: {auth}}}))
  const {code, stderr} = await runMirror(
    argv`login ${registry.host} --plain-http --username typist --password-stdin`,
    {home: own, stdin: 'not echoed\n'},
  )
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(stderr).toContain(`warning: commands use the login in ${first}`)
})
