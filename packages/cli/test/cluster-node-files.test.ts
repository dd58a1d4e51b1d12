import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterEach, beforeEach, expect, it} from 'vitest'
import {limits} from '@airgap-mirror/oci-client/model'
import {readNodeFiles} from '#src/cluster/files/read-node-files.js'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mirror-node-'))
})
afterEach(() => rm(root, {recursive: true}))

async function write(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, path)), {recursive: true})
  await writeFile(join(root, path), text)
}

it('the files below a directory have their paths as on the node, in the order of bytes', async () => {
  await write('etc/b', '1')
  await write('etc/B', '2')
  await write('etc/a/c', '3')
  const files = readNodeFiles(root)
  expect(files.paths).toEqual(['/etc/B', '/etc/a/c', '/etc/b'])
  expect([files.text('/etc/a/c'), files.text('/etc/none')]).toEqual(['3', undefined])
  expect([files.isDirectory('/etc/a'), files.isDirectory('/etc/a/'), files.isDirectory('/etc/b')]).toEqual([
    true,
    true,
    false,
  ])
})

it('the directories of programs and of the running system are not read', async () => {
  for (const path of [
    'proc/1/x',
    'usr/x',
    'var/log/x',
    'var/lib/containerd/x',
    'var/lib/rancher/k3s/data/x',
    'etc/x',
  ])
    await write(path, '')
  expect(readNodeFiles(root).paths).toEqual(['/etc/x'])
})

it('an absolute link counts from the directory, as on the node', async () => {
  await write('opt/certs.d/x/hosts.toml', 'server = "https://m"')
  await mkdir(join(root, 'etc'))
  await symlink('/opt/certs.d', join(root, 'etc/certs.d'))
  expect(readNodeFiles(root).text('/etc/certs.d/x/hosts.toml')).toContain('https://m')
})

it('a link that leaves the directory is not followed, and neither is one to nothing', async () => {
  await write('etc/x', '')
  await symlink('../../../../../../../../etc/passwd', join(root, 'etc/out'))
  await symlink('/etc/nothing', join(root, 'etc/dangling'))
  const files = readNodeFiles(root)
  expect(files.paths).toEqual(['/etc/x'])
  expect(files.warnings.toSorted()).toEqual([
    '/etc/dangling is not read because it is a link to a file that is not there',
    expect.stringMatching(/^\/etc\/out is not read because it is a link/),
  ])
})

it('links in a circle end', async () => {
  await write('etc/x', '')
  await symlink('..', join(root, 'etc/up'))
  await symlink('self', join(root, 'etc/self'))
  expect(readNodeFiles(root).paths).toContain('/etc/x')
})

it('one file is where it lies on a node', async () => {
  await write('registries.yaml', 'mirrors:\n')
  await write('docker.toml', '[host."https://m"]\n')
  await write('some.toml', 'version = 2\n')
  expect(readNodeFiles(join(root, 'registries.yaml')).paths).toEqual(['/etc/rancher/k3s/registries.yaml'])
  expect(readNodeFiles(join(root, 'registries.yaml'), {as: 'rke2'}).paths).toEqual([
    '/etc/rancher/rke2/registries.yaml',
  ])
  expect(readNodeFiles(join(root, 'docker.toml')).paths).toEqual([
    '/etc/containerd/certs.d/_default/hosts.toml',
  ])
  expect(readNodeFiles(join(root, 'some.toml')).paths).toEqual(['/etc/containerd/config.toml'])
})

it('a file over the limit is refused when it is read', async () => {
  await write('etc/big', new Uint8Array(limits.nodeFileBytes + 1))
  const files = readNodeFiles(root)
  expect(() => files.text('/etc/big')).toThrow(expect.objectContaining({code: 'LIMIT_EXCEEDED'}))
})

it('a directory that is not there is an error that names it', () => {
  expect(() => readNodeFiles(join(root, 'none'))).toThrow(expect.objectContaining({code: 'CONFIG_INVALID'}))
})

it.each([
  ['etc', ['containerd/config.toml'], '/etc/containerd/config.toml'],
  ['certs.d', ['gcr.io/hosts.toml', 'gcr.io/ca.crt'], '/etc/containerd/certs.d/gcr.io/hosts.toml'],
  ['containerd', ['config.toml', 'certs.d/gcr.io/hosts.toml'], '/etc/containerd/certs.d/gcr.io/hosts.toml'],
  ['k3s', ['registries.yaml', 'config.yaml'], '/etc/rancher/k3s/registries.yaml'],
  ['containers', ['registries.conf', 'certs.d/m/ca.crt'], '/etc/containers/certs.d/m/ca.crt'],
  ['node', ['etc/containerd/config.toml'], '/etc/containerd/config.toml'],
])('a copy of %s is known by what lies in it', async (name, written, path) => {
  for (const file of written) await write(`${name}/${file}`, 'x')
  const files = readNodeFiles(join(root, name))
  expect([files.paths.includes(path), files.text(path), files.isDirectory('/etc')]).toEqual([true, 'x', true])
  expect(files.assumed?.length ?? 0).toBe(name === 'node' ? 0 : 1)
})

it('of a running system only the places of configuration are entered', async () => {
  const kept = [
    'etc/containerd/config.toml',
    'root/.config/containers/auth.json',
    'var/lib/rancher/k3s/agent/etc/x',
  ]
  for (const path of [...kept, 'proc/1/x', 'usr/x', 'work/deep/x', 'home/me/src/x', 'root/.config/other/x'])
    await write(path, '')
  expect(readNodeFiles(root).paths).toEqual(kept.map((path) => `/${path}`))
})
