import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {
  makeAuthority,
  requireTool,
  runMirror,
  startDebianRegistry,
  withTempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type RegistryOptions} from '@airgap-mirror/test/registry'

interface Answer {
  readonly schema: string
  readonly findings: readonly {
    readonly check: string
    readonly status: string
    readonly text: string
    readonly hint?: string
  }[]
}

/** The findings by check, and the exit code. */
async function examine(host: string, ...flags: readonly string[]) {
  const {code, stdout} = await runMirror(['doctor', '--private-registry', host, '--json', ...flags])
  const {schema, findings} = JSON.parse(stdout) as Answer
  expect(schema).toBe('mirror.doctor/v1')
  return {
    code,
    statuses: Object.fromEntries(findings.map(({check, status}) => [check, status])),
    text: (check: string): string => {
      const found = findings.find((finding) => finding.check === check)
      return `${found?.text ?? ''} ${found?.hint ?? ''}`.trim()
    },
  }
}

const ALL_WELL = {
  name: 'ok',
  connection: 'ok',
  registry: 'ok',
  clock: 'ok',
  push: 'ok',
  chunks: 'ok',
  'path depth': 'ok',
  referrers: 'ok',
  deletion: 'ok',
}

describe('mirror doctor', () => {
  test('finds a good registry well, and leaves nothing there', async () => {
    await using registry = await startRegistry()
    const {code, statuses} = await examine(`${registry.host}/ns`, '--plain-http')
    expect({code, statuses}).toMatchObject({code: 0, statuses: ALL_WELL})
    const kinds = registry.requests.map(({kind}) => kind)
    expect(kinds.filter((kind) => kind === 'start')).toHaveLength(2)
    expect(kinds.filter((kind) => kind === 'cancel')).toHaveLength(2)
    expect(kinds).not.toContain('commit')
    expect(kinds).not.toContain('manifest-put')
  })

  test.for<[string, RegistryOptions, string, string]>([
    ['no referrers API', {referrers: false}, 'referrers', 'a tag, which mirror writes'],
    ['no deletion', {deletion: 'off'}, 'deletion', 'sync --prune does not work'],
    ['no chunks', {chunks: 416}, 'chunks', 'in one request'],
    ['chunks that are thrown away', {chunks: 'ecr'}, 'chunks', 'in one request'],
  ])('a registry with %s is one to push to, with a note', async ([, options, check, text]) => {
    await using registry = await startRegistry(options)
    const found = await examine(`${registry.host}/ns`, '--plain-http')
    expect({code: found.code, status: found.statuses[check]}).toEqual({code: 0, status: 'note'})
    expect(found.text(check)).toContain(text)
  })

  test('says that a login is wanted, is wrong, or may not push', async () => {
    await using registry = await startRegistry({
      auth: {
        type: 'basic',
        users: [
          {name: 'pusher', password: 'right'},
          {name: 'reader', password: 'right', access: 'pull'},
        ],
      },
    })
    const as = (name: string, password: string) =>
      examine(`${registry.host}/ns`, '--plain-http', '--username', name, '--password', password)
    const nobody = await examine(`${registry.host}/ns`, '--plain-http')
    expect({code: nobody.code, status: nobody.statuses['registry']}).toEqual({code: 1, status: 'problem'})
    const wrong = await as('pusher', 'wrong')
    expect(wrong.text('registry')).toContain('refuses the user name "pusher"')
    const reader = await as('reader', 'right')
    expect(reader).toMatchObject({code: 1, statuses: {registry: 'ok', push: 'problem'}})
    const pusher = await as('pusher', 'right')
    expect(pusher).toMatchObject({code: 0, statuses: {registry: 'ok', push: 'ok'}})
    expect(pusher.text('registry')).toContain('takes the login')
  })

  test('reads the certificate: its names, its dates, and if it is trusted', async () => {
    await withTempDir(async (directory) => {
      const authority = await makeAuthority()
      const ca = join(directory, 'ca.pem')
      await writeFile(ca, authority.ca)
      for (const [hosts, expired, status] of [
        // Certificates of the test live for a day.
        [['127.0.0.1'], false, 'note'],
        [['other.example'], false, 'problem'],
        [['127.0.0.1'], true, 'problem'],
      ] as const) {
        await using registry = await startRegistry({tls: await authority.issue({hosts, expired})})
        const {statuses} = await examine(registry.host, '--cacert', ca)
        expect({hosts, expired, certificate: statuses['certificate']}).toMatchObject({certificate: status})
      }
      await using registry = await startRegistry({tls: await authority.issue({hosts: ['127.0.0.1']})})
      const untrusted = await examine(registry.host)
      expect(untrusted).toMatchObject({code: 1, statuses: {certificate: 'note', registry: 'problem'}})
      expect(untrusted.text('registry')).toContain('--cacert')
    })
  })

  test('stops where nothing further can answer', async () => {
    const refused = await examine('127.0.0.1:1', '--plain-http')
    expect(refused).toMatchObject({code: 1, statuses: {connection: 'problem'}})
    expect(refused.statuses).not.toHaveProperty('registry')
    const unknown = await examine('registry.invalid:5000')
    expect(unknown).toMatchObject({code: 1, statuses: {name: 'problem'}})
    await using plain = await startRegistry()
    expect((await examine(plain.host)).text('certificate')).toContain('--plain-http')
  })

  test('prints a line for each check, for people', async () => {
    await using registry = await startRegistry({referrers: false})
    const {stdout} = await runMirror(['doctor', '--private-registry', registry.host, '--plain-http'])
    expect(stdout).toMatch(/^ok {6}push {10}an upload to mirror-doctor was opened, and cancelled$/m)
    expect(stdout).toMatch(/^note {4}referrers /m)
  })

  test('finds Debian’s registry well', async (context) => {
    requireTool(context, 'docker-registry')
    await using registry = await startDebianRegistry()
    const {code, statuses} = await examine(`${registry.host}/ns`, '--plain-http')
    expect({code, statuses}).toMatchObject({
      code: 0,
      statuses: {push: 'ok', chunks: 'ok', 'path depth': 'ok'},
    })
  })
})
