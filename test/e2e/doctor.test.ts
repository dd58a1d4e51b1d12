import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {
  faultsOfOutput,
  makeAuthority,
  requireTool,
  runMirror,
  startDebianRegistry,
  startScripted,
  withTempDir,
  type Answer as Reply,
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
  login: 'ok',
  clock: 'ok',
  push: 'ok',
  chunks: 'ok',
  'request size': 'ok',
  'path depth': 'ok',
  referrers: 'ok',
  deletion: 'ok',
  mounts: 'skipped',
  'sparse index': 'skipped',
}

describe('mirror doctor', () => {
  test('finds a good registry well, and leaves nothing there', async () => {
    await using registry = await startRegistry()
    const {code, statuses} = await examine(`${registry.host}/ns`, '--plain-http')
    expect({code, statuses}).toMatchObject({code: 0, statuses: ALL_WELL})
    const kinds = registry.requests.map(({kind}) => kind)
    expect(kinds.filter((kind) => kind === 'start')).toHaveLength(3)
    expect(kinds.filter((kind) => kind === 'cancel')).toHaveLength(3)
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

  test('finds the largest request by few uploads, all cancelled', async () => {
    await using registry = await startRegistry({bodyLimit: 5 * 1024 * 1024, chunks: 'on'})
    const found = await examine(`${registry.host}/ns`, '--plain-http', '--try-body', '64MiB')
    expect(found.statuses['request size']).toBe('note')
    expect(found.text('request size')).toMatch(
      /^a request of 5 MiB is taken, and one of 5\.\d+ MiB is refused .*client_max_body_size/,
    )
    expect(registry.bytesReceived).toBeLessThan(32 * 1024 * 1024)
    expect(registry.openUploads).toBe(0)
    await using small = await startRegistry({bodyLimit: 1024 * 1024})
    const usual = await examine(`${small.host}/ns`, '--plain-http')
    expect(usual.text('request size')).toContain('a request of 1 MiB is taken')
    await using torn = await startRegistry({bodyLimit: 1024 * 1024, overLimit: 'reset'})
    expect((await examine(`${torn.host}/ns`, '--plain-http')).text('request size')).toContain(
      'ends the connection',
    )
  })

  test.for<[string, RegistryOptions, Record<string, string>]>([
    ['mounts and sparse indexes', {missingContent: 'allow-index'}, {mounts: 'ok', 'sparse index': 'ok'}],
    ['neither', {mount: 'off'}, {mounts: 'note', 'sparse index': 'note'}],
    ['no deletion', {deletion: 'off'}, {mounts: 'skipped', 'sparse index': 'skipped'}],
  ])('--try-writes finds a registry with %s, and leaves nothing there', async ([, options, statuses]) => {
    await using registry = await startRegistry(options)
    const found = await examine(`${registry.host}/ns`, '--plain-http', '--try-writes')
    expect(found).toMatchObject({code: 0, statuses})
    expect(registry.openUploads).toBe(0)
    for (const repository of registry.repositories()) {
      expect([registry.blobs(repository), registry.tags(repository)]).toEqual([[], []])
    }
  })

  test.for<[string, RegistryOptions['faults'], string | undefined, number]>([
    ['deletes the first blob', [], undefined, 0],
    [
      'names a blob that cannot be deleted',
      [{match: {kind: 'blob-delete'}, fault: {type: 'status', status: 405}}],
      'not deleted: a blob of 34 bytes in ns/mirror-doctor',
      1,
    ],
  ])('--try-writes %s if the second repository takes no push', async ([, faults = [], left, blobs]) => {
    const refused = {match: {path: /mounted\/blobs\/uploads/}, fault: {type: 'status', status: 403}} as const
    await using registry = await startRegistry({faults: [{...refused, times: Infinity}, ...faults]})
    const {statuses, text} = await examine(`${registry.host}/ns`, '--plain-http', '--try-writes')
    expect(statuses).toMatchObject({mounts: 'problem'})
    expect(/not deleted.*mirror-doctor(?= |$)/.exec(text('mounts'))?.[0]).toBe(left)
    expect(registry.blobs('ns/mirror-doctor')).toHaveLength(blobs)
  })

  test('says where the login is from, and never the password', async () => {
    await withTempDir(async (home) => {
      const users = [{name: 'pusher', password: 'secret-word'}]
      await using registry = await startRegistry({auth: {type: 'basic', users}})
      const auth = Buffer.from('pusher:secret-word').toString('base64')
      const config = join(home, 'config.json')
      await writeFile(config, JSON.stringify({auths: {[registry.host]: {auth}}}))
      const args = ['doctor', '--private-registry', `${registry.host}/ns`, '--plain-http']
      const file = await runMirror([...args, '--docker-config', config])
      expect(file.stdout.replaceAll(/\s+/g, ' ')).toContain(
        `the user name "pusher" from ${config} (${registry.host})`,
      )
      const env = {MIRROR_USERNAME: 'pusher', MIRROR_PASSWORD: 'secret-word'}
      const variable = await runMirror(args, {env})
      expect(variable.stdout).toContain('the user name "pusher" from MIRROR_USERNAME')
      const flag = await runMirror([...args, '--username', 'pusher', '--password', 'secret-word'])
      expect(flag.stdout).toContain('the user name "pusher" from --username')
      for (const {stdout, stderr} of [file, variable, flag]) {
        expect(`${stdout}${stderr}`).not.toContain('secret-word')
        expect(`${stdout}${stderr}`).not.toContain(auth)
      }
    })
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

  test.each([
    ['doctor', ['doctor', '--json'], 'missing required flag --private-registry'],
    ['doctor', ['doctor', '--json', '--private-registry', 'a:99999'], '"a:99999" has the port 99999'],
    ['explain', ['config', 'explain', '--json', '--bogus'], 'unknown flag --bogus'],
    ['check', ['config', 'check', '--json', '--bogus'], 'unknown flag --bogus'],
    ['report', ['verify', '--json', '--bogus'], 'unknown flag --bogus'],
  ])('a wrong flag is an error in the schema of the command: %s, %j', async (name, args, message) => {
    const {code, stdout} = await runMirror(args)
    expect(code).toBe(2)
    expect(faultsOfOutput(stdout)).toEqual([])
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: `urn:mirror:${name}:v1`,
      schema: `mirror.${name}/v1`,
      error: {code: 'USAGE', message: expect.stringContaining(message) as string},
    })
  })

  test.for<[string, Reply, string]>([
    ['a web page', {headers: {'content-type': 'text/html'}, body: '<html>'}, 'with a web page'],
    ['missing', {status: 404}, 'answers 404, where a registry answers 200'],
  ])('does not call a server a registry whose base page is %s', async ([, answer, text]) => {
    await using server = await startScripted(() => answer)
    const found = await examine(server.host, '--plain-http')
    expect(found).toMatchObject({code: 1, statuses: {registry: 'note', push: 'problem'}})
    expect(found.text('registry')).toContain(text)
  })

  test('names the product that a registry is, by its challenge', async () => {
    await using server = await startScripted({
      'GET /service/token*': {json: {token: 't'}},
      'GET /v2/': ({headers}) =>
        headers.authorization === undefined
          ? {
              status: 401,
              headers: {
                'www-authenticate': `Bearer realm="http://${headers.host}/service/token",service="harbor-registry"`,
              },
            }
          : {json: {}},
    })
    expect((await examine(server.host, '--plain-http')).text('registry')).toContain('answers 200: Harbor')
  })

  test('cancels the upload that it opened, also if the registry hangs up', async () => {
    await using server = await startScripted({
      'GET /v2/': {json: {}},
      'POST *': {status: 202, headers: {location: '/v2/mirror-doctor/blobs/uploads/1'}},
      'PATCH *': 'hang-up',
      'DELETE *': {status: 204},
    })
    expect((await examine(server.host, '--plain-http')).code).toBe(1)
    const kinds = server.asked.map(({method, path}) => `${method} ${path}`)
    expect(kinds).toContain('DELETE /v2/mirror-doctor/blobs/uploads/1')
  })

  test('says that a proxy is passed by, without its password', async () => {
    await using registry = await startRegistry()
    const args = ['doctor', '--private-registry', registry.host, '--plain-http', '--json']
    const {stdout} = await runMirror([...args, '--proxy', 'http://me:secret-word@proxy.example:3128'])
    expect(stdout).toContain('is reached directly, past the proxy http://')
    expect(stdout).toContain('proxy.example:3128')
    expect(stdout).not.toContain('secret-word')
  })

  test('prints a line for each check, for people, in 80 columns', async () => {
    await using registry = await startRegistry({referrers: false})
    const {stdout} = await runMirror(['doctor', '--private-registry', registry.host, '--plain-http'])
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
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
