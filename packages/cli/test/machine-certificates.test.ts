import {execFileSync} from 'node:child_process'
import {mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {makeAuthority, makeTempDir, type Authority, type TempDir} from '@airgap-mirror/test/kit'
import {certificateRoots, hostCertificates, machineCertificates} from '#src/run/machine-certificates.js'

const HOST = 'registry.example:5000'
let directory: TempDir
let authority: Authority
let rooms = 0
beforeAll(async () => {
  directory = await makeTempDir()
  authority = await makeAuthority()
})
afterAll(() => directory.remove())

/** Writes files of directories that no other test has. @returns their common directory */
async function files(contents: Readonly<Record<string, string>>): Promise<string> {
  const root = join(directory.path, `room${++rooms}`)
  await mkdir(root, {recursive: true})
  for (const [name, text] of Object.entries(contents)) {
    await mkdir(dirname(join(root, name)), {recursive: true})
    await writeFile(join(root, name), text)
  }
  return root
}

test('the directories are those of podman, in its order', () => {
  expect(certificateRoots('/home/bob')).toEqual([
    '/home/bob/.config/containers/certs.d',
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ])
})

test('the first directory named after the registry gives authorities and a client certificate', async () => {
  const {cert, key} = await authority.issueClient({name: 'bob'})
  const other = await makeAuthority('other')
  const root = await files({
    [`two/${HOST}/ca.crt`]: authority.ca,
    [`two/${HOST}/client.cert`]: cert,
    [`two/${HOST}/client.key`]: key,
    [`two/registry.example/ca.crt`]: other.ca,
    [`three/${HOST}/ca.crt`]: other.ca,
  })
  const roots = ['one', 'two', 'three'].map((name) => join(root, name))
  const at = (name: string): string => join(root, 'two', HOST, name)
  expect(await hostCertificates(HOST, {roots, wantsIdentity: true})).toEqual({
    hostCa: [authority.ca],
    identity: {clientCert: cert, clientKey: key},
    used: [at('ca.crt'), at('client.cert'), at('client.key')],
    problems: [],
  })
  const given = await hostCertificates(HOST, {roots, wantsIdentity: false})
  expect(given).toMatchObject({hostCa: [authority.ca], used: [at('ca.crt')]})
  expect(given.identity).toBeUndefined()
  expect(await hostCertificates('other.example', {roots, wantsIdentity: true})).toEqual({
    hostCa: [],
    used: [],
    problems: [],
  })
})

test('files that are bad are told of and passed over, and no pipe is waited for', async () => {
  const {cert} = await authority.issueClient({name: 'bob'})
  const {key} = await authority.issueClient({name: 'alice'})
  const root = await files({
    [`${HOST}/bad.crt`]: '-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n',
    [`${HOST}/empty.crt`]: '',
    [`${HOST}/good.crt`]: authority.ca,
    [`${HOST}/alone.cert`]: cert,
    [`${HOST}/foreign.cert`]: cert,
    [`${HOST}/foreign.key`]: key,
  })
  await mkdir(join(root, HOST, 'directory.crt'))
  execFileSync('mkfifo', [join(root, HOST, 'pipe.crt')])
  const {hostCa, identity, problems} = await hostCertificates(HOST, {roots: [root], wantsIdentity: true})
  expect({hostCa, identity}).toEqual({hostCa: [authority.ca], identity: undefined})
  const at = (name: string): string => join(root, HOST, name)
  expect(problems.map((text) => text.replace(/ is not used: .*/, ''))).toEqual(
    ['bad.crt', 'directory.crt', 'empty.crt', 'pipe.crt', 'alone.cert', 'foreign.cert'].map(at),
  )
})

test('a name that leads out of the directory is looked up nowhere', async () => {
  const root = await files({'certs.d/x/ca.crt': authority.ca, 'ca.crt': authority.ca})
  for (const name of ['..', '../certs.d/x', 'x/../x'])
    expect(
      (await hostCertificates(name, {roots: [join(root, 'certs.d')], wantsIdentity: true})).used,
    ).toEqual([])
})

test('SSL_CERT_FILE and the directories of SSL_CERT_DIR are read', async () => {
  const other = await makeAuthority('other')
  const root = await files({
    'one.pem': authority.ca,
    'certs/two.pem': other.ca,
    'certs/README': 'no certificate',
  })
  const {extraCa, used, problems} = await machineCertificates({
    SSL_CERT_FILE: join(root, 'one.pem'),
    SSL_CERT_DIR: `${join(root, 'certs')}:${join(root, 'absent')}`,
  })
  expect(extraCa).toContain(authority.ca.trim())
  expect(extraCa).toContain(other.ca.trim())
  expect(used).toEqual([join(root, 'one.pem'), join(root, 'certs')])
  expect(problems).toEqual([expect.stringContaining(`${join(root, 'absent')} is not used: `)])
})

test.each(['absent', 'README'])('an SSL_CERT_FILE that is %s is told of', async (name) => {
  const root = await files({README: 'no certificate'})
  const {extraCa, used, problems} = await machineCertificates({SSL_CERT_FILE: join(root, name)})
  expect({extraCa, used}).toEqual({extraCa: '', used: []})
  expect(problems).toEqual([expect.stringContaining(`${join(root, name)} is not used: `)])
})
