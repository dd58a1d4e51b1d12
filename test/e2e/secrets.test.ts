import {expect, test} from 'vitest'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeImage, makeTempDir, runMirror, startProxy} from '@airgap-mirror/test/kit'
import {startRegistry, type RegistryOptions} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'

const password = 'hunter2-pass'
const identityToken = 'identity-token-of-someone'
const proxyPassword = 'proxy-pass-word'
const users = [{name: 'someone', password}]

const runs: readonly (readonly [string, RegistryOptions, 'stdin' | 'config' | 'identity'])[] = [
  ['basic authentication', {auth: {type: 'basic', users}}, 'stdin'],
  ['tokens that run out', {auth: {type: 'token', users, usesPerToken: 4}}, 'config'],
  ['an identity token', {auth: {type: 'token', users, identityTokens: {someone: identityToken}}}, 'identity'],
  [
    'everything failing',
    {
      auth: {type: 'token', users},
      faults: [
        {match: {kind: ['commit', 'send']}, times: 1000, fault: {type: 'status', status: 500, body: 'no'}},
      ],
    },
    'stdin',
  ],
]

test.each(runs)('--verbose shows every exchange and no secret: %s', async (_name, options, way) => {
  await using directory = await makeTempDir()
  await using registry = await startRegistry(options)
  await using proxy = await startProxy({
    names: {'registry.invalid': registry.host},
    auth: {user: 'p', password: proxyPassword},
  })
  const source = await writeOciBundle(directory.path, [
    named('gcr.io/a/b:v1', await makeImage({seed: 'secret'})),
  ])
  const auth = Buffer.from(`someone:${password}`).toString('base64')
  const config = join(directory.path, 'config.json')
  const entry = way === 'identity' ? {auth: '', identitytoken: identityToken} : {auth}
  await writeFile(config, JSON.stringify({auths: {'registry.invalid': entry}}))
  const report = join(directory.path, 'report.json')
  const credential =
    way === 'stdin' ? argv`--username someone --password-stdin` : argv`--docker-config ${config}`

  const {stdout, stderr} = await runMirror(
    argv`push --source ${source} --private-registry registry.invalid/ns --plain-http --verbose --json
      --report ${report} --retries 1 --concurrency 1 ${credential}`,
    {stdin: password, env: {HTTP_PROXY: proxy.url.replace('//', `//p:${proxyPassword}@`)}},
  )

  expect(stderr).toMatch(/^GET http:\/\/registry\.invalid\/v2\/ 401 \d+ ms$/m)
  expect(stderr).toContain('_state=***')
  const tokens = registry.requests
    .map(({authorization}) => authorization?.split(' ')[1])
    .filter((token) => token !== undefined)
  expect(tokens.length).toBeGreaterThan(0)
  const states = registry.requests.flatMap(({path}) => /_state=([^&]+)/.exec(path)?.[1] ?? [])
  expect(states.length).toBeGreaterThan(0)
  const secrets = [password, identityToken, proxyPassword, auth, ...tokens, ...states]
  const output = [stdout, stderr, await readFile(report, 'utf8')].join('\n')
  expect(secrets.filter((secret) => output.includes(secret))).toEqual([])
})

test('--password on the command line warns that others can see it; the environment does not', async () => {
  await using directory = await makeTempDir()
  await using registry = await startRegistry({auth: {type: 'basic', users}})
  const source = await writeOciBundle(directory.path, [
    named('gcr.io/a/b:v1', await makeImage({seed: 'secret'})),
  ])
  const args = argv`push --source ${source} --private-registry ${registry.host} --plain-http --username someone --quiet`
  const shown = await runMirror([...args, '--password', password])
  expect(shown).toMatchObject({code: 0})
  expect(shown.stderr).toMatch(/^warning: --password shows the password/)
  expect(await runMirror(args, {env: {MIRROR_PASSWORD: password}})).toMatchObject({code: 0, stderr: ''})
})

test('DEBUG=* shows no password', async () => {
  const {stdout, stderr} = await runMirror(
    argv`push --source /no/such/bundle --private-registry registry.invalid --username u --password hunter2-of-mine --no-state`,
    {env: {DEBUG: '*'}},
  )
  expect(stdout + stderr).not.toContain('hunter2-of-mine')
})
