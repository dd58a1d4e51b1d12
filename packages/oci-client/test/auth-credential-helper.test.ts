import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {runCredentialHelper} from '#src/auth/credential-helper.js'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-helper-'))
})
afterAll(async () => {
  await rm(directory, {recursive: true, force: true})
})

function env(): Record<string, string> {
  return {PATH: `${directory}:/usr/bin:/bin`, GREETING: 'hello'}
}

let count = 0
/** Makes a shell script a helper, and gives its name. */
async function helper(script: string): Promise<string> {
  count += 1
  await writeFile(join(directory, `docker-credential-h${count}`), `#!/bin/sh\n${script}\n`, {mode: 0o755})
  return `h${count}`
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a credential helper', () => {
  it('is asked on its standard input', async () => {
    const name = await helper(
      `read server; printf '{"ServerURL":"%s","Username":"%s","Secret":"%s"}' "$server" "$1" "$server $GREETING"`,
    )
    expect(await runCredentialHelper(name, 'reg:5000', {env: env()})).toEqual({
      kind: 'basic',
      username: 'get',
      password: 'reg:5000 hello',
    })
  })

  it('may hold an identity token', async () => {
    const name = await helper(`echo '{"Username":"<token>","Secret":"refresh"}'`)
    expect(await runCredentialHelper(name, 'reg', {env: env()})).toEqual({
      kind: 'identity-token',
      token: 'refresh',
      username: '<token>',
    })
  })

  it.each([
    `echo 'credentials not found in native keychain'; exit 1`,
    `echo 'Error: Credentials not found' >&2; exit 1`,
    `echo '{"Username":"","Secret":""}'`,
  ])('that has nothing is no error: %s', async (script) => {
    expect(await runCredentialHelper(await helper(script), 'reg', {env: env()})).toBeUndefined()
  })

  it('need not read its input', async () => {
    const name = await helper(`exec 0<&-; echo '{"Username":"u","Secret":"s"}'`)
    expect(await runCredentialHelper(name, 'r'.repeat(200), {env: env()})).toMatchObject({username: 'u'})
  })

  it.each([
    ['fails', `echo 'keychain is locked' ; exit 1`, /: exit status 1$/],
    ['fails on standard error', `printf 'a\\033[31mb' >&2; exit 3`, /: exit status 3$/],
    ['fails with a credential', `echo '{"Username":"u","Secret":"S3cret"}'; exit 1`, /: exit status 1$/],
    [
      'fails with a token in its words',
      `echo 'cannot store glpat-9fK2vL0caBcD: no such keychain'; exit 1`,
      /: exit status 1$/,
    ],
    ['fails without a word', 'exit 7', /: exit status 7$/],
    ['prints no JSON', `echo S3cret`, /printed no user name and secret$/],
    ['prints other JSON', `echo '{"Username":5,"Secret":"S3cret"}'`, /printed no user name and secret$/],
  ])('that %s is an error that names it and shows no secret', async (_what, script, message) => {
    const name = await helper(script)
    const error: unknown = await runCredentialHelper(name, 'reg', {env: env()}).catch(
      (error: unknown) => error,
    )
    expect(error).toMatchObject({code: 'CREDENTIALS_INVALID', message: expect.stringMatching(message)})
    expect((error as Error).message).toContain(`docker-credential-${name}`)
    expect(String(error)).not.toContain('S3cret')
  })

  it('that prints without end is stopped', async () => {
    const name = await helper('exec cat /dev/zero')
    await expect(runCredentialHelper(name, 'reg', {env: env()})).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    })
  })

  it.each([
    ['never ends', 'exec sleep 1000'],
    ['leaves a process behind that holds its output', 'sleep 20 & exit 0'],
    ['drips without end', 'while :; do echo .; sleep 0.01; done'],
  ])('that %s is given up', async (_what, script) => {
    const name = await helper(script)
    await expect(runCredentialHelper(name, 'reg', {env: env(), timeout: 100})).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: `docker-credential-${name} did not answer for reg within 0.1 s`,
    })
  })

  it('that is missing is an error with advice to install it', async () => {
    await expect(runCredentialHelper('not-there', 'reg', {env: env()})).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: 'docker-credential-not-there is not installed',
      advice: {kind: 'install-helper', program: 'docker-credential-not-there'},
    })
  })

  it('that may not be run is an error', async () => {
    await writeFile(join(directory, 'docker-credential-plain'), 'no program', {mode: 0o644})
    await expect(runCredentialHelper('plain', 'reg', {env: {PATH: directory}})).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
    })
  })

  it.each(['', '../h1', 'a/b', 'a\\b', '-x', 'a b', 'a\0b', 'x'.repeat(65)])(
    'is never called %j',
    async (name) => {
      await expect(runCredentialHelper(name, 'reg', {env: env()})).rejects.toMatchObject({
        code: 'CREDENTIALS_INVALID',
        message: expect.stringMatching(/is not the name of a credential helper$/),
      })
    },
  )

  it.each([
    ['timeout', {code: 'CREDENTIALS_INVALID', message: expect.stringContaining('within 0.3 s')}],
    ['signal', {code: 'CANCELLED'}],
  ])('that hangs is killed by the %s, whatever it started', async (by, expected) => {
    const pidFile = join(directory, `pid-${by}`)
    const name = await helper(`echo $$ > ${pidFile}; sleep 3600 & wait`)
    const limit = by === 'timeout' ? {timeout: 300} : {signal: AbortSignal.timeout(300)}
    await expect(runCredentialHelper(name, 'reg', {env: env(), ...limit})).rejects.toMatchObject(expected)
    expect(isAlive(Number(await readFile(pidFile, 'utf8')))).toBe(false)
  })
})
