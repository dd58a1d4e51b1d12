import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  cleanEnvironment,
  lacksTool,
  makeImage,
  makeTempDir,
  mirrorProgram,
  runInTerminal,
  runMirror,
  type DialogueStep,
  type PtyOptions,
  type PtyResult,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'

const users = [{name: 'typist', password: 'not echoed'}]
const DOWN = '\u001b[B'

function typed(password: string): readonly DialogueStep[] {
  return [
    {expect: /How do you want to log in\?/, send: '\r'},
    {expect: /User name:/, send: 'typist\r'},
    {expect: /Password:/, send: `${password}\r`},
  ]
}

describe.skipIf(lacksTool('script'))('a registry that asks for a credential', () => {
  let directory: TempDir
  let source: string
  let registry: TestRegistry
  let home: string

  beforeAll(async () => {
    directory = await makeTempDir()
    home = join(directory.path, 'home')
    await mkdir(join(home, '.run'), {recursive: true})
    source = await writeOciBundle(directory.path, [
      named('gcr.io/team/app:v1', await makeImage({seed: 'prompt'})),
    ])
    registry = await startRegistry({auth: {type: 'basic', users}, strict: true})
  })
  afterAll(async () => {
    await registry.close()
    await directory.remove()
  })

  const args = (namespace: string, from: string): readonly string[] =>
    argv`push --source ${from} --private-registry ${registry.host}/${namespace} --plain-http`
  const inTerminal = (
    namespace: string,
    options: Partial<PtyOptions> & {readonly dialogue: PtyOptions['dialogue']; readonly from?: string},
  ): Promise<PtyResult> =>
    runInTerminal(process.execPath, [mirrorProgram(), ...args(namespace, options.from ?? source)], {
      env: cleanEnvironment(home),
      ...options,
    })

  test('is given a user name and a password typed at the terminal; the password is never shown', async () => {
    const {code, transcript} = await inTerminal('typed', {dialogue: typed('not echoed')})
    expect({code, transcript}).toMatchObject({code: 0})
    expect(registry.tags('typed/team/app')).toEqual(['v1'])
    expect(transcript).toContain('typist')
    expect(transcript).not.toContain('not echoed')
    expect(transcript).toContain(`${registry.host} asks for a credential.`)
    expect(transcript).toContain('1 pushed')
  })

  test('asks again after a wrong password', async () => {
    const {code, transcript} = await inTerminal('again', {
      dialogue: [...typed('mistyped'), ...typed('not echoed')],
    })
    expect({code, transcript}).toMatchObject({code: 0})
    expect(transcript).toContain(`${registry.host} refused the credential.`)
    expect(transcript).not.toMatch(/mistyped|not echoed/)
    expect(registry.tags('again/team/app')).toEqual(['v1'])
  })

  test('gives up after three wrong passwords, with exit code 1', async () => {
    const dialogue = [...typed('one'), ...typed('two'), ...typed('three')]
    const {code, transcript} = await inTerminal('wrong', {dialogue})
    expect({code, transcript}).toMatchObject({code: 1})
    expect(transcript).toMatch(/error: target: .*refuses/)
    expect(registry.tags('wrong/team/app')).toEqual([])
  })

  test('is given a Docker config file that is chosen', async () => {
    const config = join(directory.path, 'chosen.json')
    const auth = Buffer.from('typist:not echoed').toString('base64')
    await writeFile(config, JSON.stringify({auths: {[registry.host]: {auth}}}))
    const {code, transcript} = await inTerminal('file', {
      dialogue: [
        {expect: /How do you want to log in\?/, send: DOWN},
        {expect: /❯ Choose a Docker config file/, send: '\r'},
        {expect: /Path of the file/, send: `${config}\r`},
      ],
    })
    expect({code, transcript}).toMatchObject({code: 0})
    expect(registry.tags('file/team/app')).toEqual(['v1'])
  })

  test('is asked for again when a chosen Docker config file has no login for it', async () => {
    const own = join(directory.path, 'other-home')
    await mkdir(join(own, '.docker'), {recursive: true})
    const auth = Buffer.from('typist:not echoed').toString('base64')
    await writeFile(join(own, '.docker', 'config.json'), JSON.stringify({auths: {'other.example': {auth}}}))
    const {code, transcript} = await inTerminal('usual', {
      env: cleanEnvironment(own),
      dialogue: [
        {expect: /How do you want to log in\?/, send: DOWN},
        {expect: /❯ Choose a Docker config file/, send: '\r'},
        {expect: /❯ .*config\.json/, send: '\r'},
        {expect: /config\.json has no login for 127\.0\.0\.1/, send: ''},
        ...typed('not echoed'),
      ],
    })
    expect({code, transcript}).toMatchObject({code: 0})
  })

  test('asks at the terminal while the bundle comes from standard input', async () => {
    const {code, transcript} = await inTerminal('piped', {
      from: '-',
      stdin: source,
      dialogue: typed('not echoed'),
    })
    expect({code, transcript}).toMatchObject({code: 0})
    expect(registry.tags('piped/team/app')).toEqual(['v1'])
  })

  test('with --username alone asks for the password, once and again after a wrong one', async () => {
    const {code, transcript} = await runInTerminal(
      process.execPath,
      [mirrorProgram(), ...args('known', source), '--username', 'typist'],
      {
        env: cleanEnvironment(home),
        dialogue: [
          {expect: /Password for typist:/, send: 'mistyped\r'},
          {expect: /refused the credential/, send: ''},
          {expect: /Password for typist:/, send: 'not echoed\r'},
        ],
      },
    )
    expect({code, transcript}).toMatchObject({code: 0})
    expect(transcript).not.toMatch(/mistyped|not echoed/)
  })

  test('with --username alone and without a terminal is exit code 2, with the flag to give', async () => {
    const {code, stderr} = await runMirror([...args('none', source), '--username', 'typist'], {home})
    expect({code}, `printed: ${stderr}`).toEqual({code: 2})
    expect(stderr).toMatch(/--username lacks its password.*\nhint: .*--password-stdin/)
  })

  test('with --need-credential=false says that this was given', async () => {
    const {code, stderr} = await runMirror([...args('none', source), '--need-credential=false'], {home})
    expect({code}, `printed: ${stderr}`).toEqual({code: 1})
    expect(stderr).toMatch(
      /^error: target: .* asks for a credential, and none is sent because need-credential is false$/m,
    )
    expect(stderr).not.toContain('--username')
  })

  test('with --need-credential is given one before any work, though it would not have asked', async () => {
    await using open = await startRegistry({strict: true})
    const {code, transcript} = await runInTerminal(
      process.execPath,
      [
        mirrorProgram(),
        ...argv`push --source /nowhere --private-registry ${open.host} --plain-http --need-credential`,
      ],
      {env: cleanEnvironment(home), dialogue: typed('not echoed')},
    )
    expect({code, transcript}).toMatchObject({code: 2})
    expect(transcript).not.toContain('not echoed')
  })

  test('is left with exit code 130 by Ctrl-C at the prompt', async () => {
    const {code} = await inTerminal('left', {
      dialogue: [{expect: /How do you want to log in\?/, send: '\u0003'}],
    })
    expect(code).toBe(130)
    expect(registry.tags('left/team/app')).toEqual([])
  })

  test('gets none without a terminal: exit code 1, and every place that was looked in', async () => {
    const {code, stderr} = await runMirror(args('none', source), {
      home,
      env: {DOCKER_CONFIG: '/nowhere', REGISTRY_AUTH_FILE: '/nowhere/auth.json'},
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: target: .*asks for a credential/m)
    for (const place of [
      '/nowhere/auth.json: no file',
      '/nowhere/config.json: no file',
      `${home}/.run/containers/auth.json: no file`,
      `${home}/.config/containers/auth.json: no file`,
      `${home}/.dockercfg: no file`,
    ]) {
      expect(stderr).toContain(place)
    }
    expect(stderr).toMatch(/^hint: .*--username/m)
  })
})
