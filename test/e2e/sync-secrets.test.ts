import {expect, test} from 'vitest'
import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {startProxy} from '@airgap-mirror/test/kit'
import type {RegistryOptions} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {syncScene} from './sync.js'

const password = 'pass-of-the-target'
const secret = 'secret-of-the-source'
const proxyPassword = 'pass-of-the-proxy'
const users = [{name: 'writer', password}]

const sources: readonly (readonly [string, RegistryOptions])[] = [
  ['tokens', {auth: {type: 'token', users: [{name: 'reader', password: secret}]}}],
  [
    'tokens, and blobs at signed addresses',
    {auth: {type: 'token', users: [{name: 'reader', password: secret}]}, redirectBlobs: true},
  ],
  ['basic authentication', {auth: {type: 'basic', users: [{name: 'reader', password: secret}]}}],
  [
    'everything failing',
    {
      auth: {type: 'token', users: [{name: 'reader', password: secret}]},
      faults: [
        {match: {kind: 'blob-get'}, times: Infinity, fault: {type: 'status', status: 500, body: 'no'}},
      ],
    },
  ],
]

test.each(sources)('no secret is in anything that is said or kept: %s', async (_name, source) => {
  await using scene = await syncScene({source, target: {auth: {type: 'basic', users}}})
  await using proxy = await startProxy({
    names: {'source.invalid': scene.source.host},
    auth: {user: 'p', password: proxyPassword},
  })
  await scene.add('team/app:v1')
  const at = (name: string): string => join(scene.directory, name)
  const config = await scene.write(
    'mirror.yaml',
    `registries:
  source.invalid:
    username: reader
    password: \${SOURCE_SECRET}
    proxy: http://p:\${PROXY_SECRET}@${proxy.host}
    plain-http: true
  ${scene.target.host}:
    username: writer
    password-file: secret.txt
jobs:
  - {name: job, targets: ${scene.target.host}/mirror, references: ['source.invalid/team/app:v1']}
`,
  )
  await scene.write('secret.txt', password)
  const {stdout, stderr} = await scene.sync(
    argv`--config ${config} --verbose --source-retries 0 --report ${at('report.json')}
      --metrics ${at('mirror.prom')} --failed ${at('failed.txt')} --notify-command ${`cat > ${at('told.json')}`}`,
    {into: false, env: {SOURCE_SECRET: secret, PROXY_SECRET: proxyPassword}},
  )
  expect(stderr).toMatch(/^HEAD http:\/\/source\.invalid\/v2\/team\/app\/manifests\/v1 200 \d+ ms$/m)
  const given = [...scene.source.requests, ...scene.target.requests].flatMap(
    ({authorization}) => authorization?.split(' ')[1] ?? [],
  )
  expect(given.length).toBeGreaterThan(1)
  const signatures = scene.source.requests.flatMap(({path}) => /[?&]_sig=([^&]+)/.exec(path)?.[1] ?? [])
  expect(signatures.length > 0).toBe(source.redirectBlobs === true)
  const secrets = [password, secret, proxyPassword, ...given, ...signatures]
  const kept = await readdir(scene.directory, {recursive: true, withFileTypes: true})
  const files = kept.filter((file) => file.isFile() && file.name !== 'secret.txt')
  const texts = await Promise.all(
    files.map(({parentPath, name}) => readFile(join(parentPath, name), 'latin1')),
  )
  expect(files.map(({name}) => name)).toEqual(
    expect.arrayContaining(['report.json', 'mirror.prom', 'failed.txt']),
  )
  const output = [stdout, stderr, ...texts].join('\n')
  expect(secrets.filter((text) => output.includes(text))).toEqual([])
})
