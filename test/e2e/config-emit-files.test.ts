import {mkdir, readFile, stat, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import {makeImage, ociLayout, writeDirectory, type NamedImage} from '@airgap-mirror/test/kit'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {LIST, LOGIN, openEmitStage, REGISTRY, type EmitStage} from './emit-stage.js'

let stage: EmitStage
beforeAll(async () => {
  stage = await openEmitStage()
})
afterAll(() => stage.remove())

describe('config emit --output', () => {
  const toDirectory = ['--for', 'podman', ...LIST, '--output', 'node']
  const conf = 'node/etc/containers/registries.conf.d/99-mirror.conf'

  test('writes a tree, leaves files that are right, and replaces its own', async () => {
    expect((await stage.emit(...toDirectory)).code).toBe(0)
    const first = await stat(stage.at(conf))
    const again = await stage.emit(...toDirectory)
    expect(again.stderr).toContain('unchanged: ')
    expect((await stat(stage.at(conf))).ino).toBe(first.ino)
    const other = await stage.emit(...toDirectory, '--fallback', 'cut')
    expect(other.stderr).toMatch(/replaced: .*99-mirror\.conf/)
    expect(await readFile(stage.at(conf), 'utf8')).toContain('blocked = true')
  })

  test('replaces no file of others unless that is asked for, and then says so', async () => {
    await mkdir(dirname(stage.at(`other/${conf}`)), {recursive: true})
    await writeFile(stage.at(`other/${conf}`), '# ours\n')
    const output = [...toDirectory.slice(0, -1), 'other/node']
    const refusal = await stage.emit(...output)
    expect(refusal.code).toBe(1)
    expect(refusal.stderr).toMatch(/other files in these places: etc\/containers\/registries\.conf\.d/)
    await expect(stat(stage.at('other/node/etc/containers/policy.json'))).rejects.toThrow('ENOENT')
    const forced = await stage.emit(...output, '--overwrite')
    expect(forced.code).toBe(0)
    expect(forced.stderr).toMatch(/replaced, though it was another file: .*99-mirror\.conf/)
  })

  test('a file with a login is for its owner alone', async () => {
    const {code} = await stage.emit('--for', 'k3s', ...LIST, ...LOGIN, '--output', 'secret')
    expect(code).toBe(0)
    expect((await stat(stage.at('secret/etc/rancher/k3s/registries.yaml'))).mode & 0o777).toBe(0o600)
  })
})

describe('config emit --into', () => {
  const header = `# bmctl configuration variables.
gcrKeyPath: /keys/gcr.json # the key
sshPrivateKeyPath:   /keys/ssh
`
  const cluster = `---
apiVersion: v1
kind: Namespace # kept
metadata: {name: cluster}
`
  const insert = async (text: string, ...args: readonly string[]) => {
    await writeFile(stage.at('cluster.yaml'), text)
    const result = await stage.emit(
      '--for',
      'bmctl',
      '--host',
      'gcr.io',
      ...REGISTRY,
      '--into',
      'cluster.yaml',
      ...args,
    )
    return {...result, text: await readFile(stage.at('cluster.yaml'), 'utf8')}
  }
  const block = 'registryMirrors:\n  - endpoint: https://registry.example:5000/v2/mirror\n'

  test('puts the mirror behind the last key of the header and leaves every other byte', async () => {
    const {code, text} = await insert(header + cluster)
    expect({code, text}).toEqual({code: 0, text: header + block + cluster})
    expect((await insert(text)).text).toBe(text)
  })

  test('replaces an older mirror, and says which', async () => {
    const old = `registryMirrors:\n- endpoint: https://old.example # gone\n  hosts: [quay.io]\n# about the key\n`
    const {code, text, stderr} = await insert(old + header + cluster)
    expect({code, text}).toEqual({code: 0, text: `${block}# about the key\n${header}${cluster}`})
    expect(stderr).toContain('the mirror https://old.example was replaced')
  })

  test('refuses a file without a header, and leaves it', async () => {
    const headless = cluster.slice('---\n'.length)
    const {code, text} = await insert(headless)
    expect({code, text}).toEqual({code: 2, text: headless})
  })
})

describe('config emit --report', () => {
  const report = (images: readonly object[]) =>
    JSON.stringify({schema: 'mirror.report/v1', target: 'registry.example:5000/mirror', images})

  test('takes the places of the images from the report, and leaves out what did not arrive', async () => {
    await writeFile(
      stage.at('report.json'),
      report([
        {source: 'gcr.io/a/b:v1', target: 'registry.example:5000/mirror/other/b:v1', status: 'pushed'},
        {source: 'quay.io/c/d:v1', target: 'registry.example:5000/mirror/c/d:v1', status: 'failed'},
      ]),
    )
    const {code, stdout, stderr} = await stage.emit('--for', 'openshift', '--report', 'report.json')
    expect(code).toBe(0)
    expect(stdout).toContain(
      'source: gcr.io/a/b\n      mirrors:\n        - registry.example:5000/mirror/other/b\n',
    )
    expect(stdout).not.toContain('quay.io')
    expect(stderr).toContain('1 images are left out')
  })

  test('refuses a file that is not a report', async () => {
    await writeFile(stage.at('report.json'), '{"schema": "other"}')
    const {code, stderr} = await stage.emit('--for', 'openshift', '--report', 'report.json')
    expect(code).toBe(2)
    expect(stderr).toContain('is not a report')
  })
})

test('config emit --source takes the names from a bundle, and says which images have none', async () => {
  const [app, nameless] = [await makeImage({seed: 'named'}), await makeImage({seed: 'nameless'})]
  const images: readonly NamedImage[] = [
    {image: app, annotations: {'io.containerd.image.name': 'gcr.io/team/app:v1'}},
    {image: nameless, annotations: {'org.opencontainers.image.ref.name': 'v3'}},
  ]
  await writeDirectory(stage.at('layout'), ociLayout(images))
  const {code, stdout, stderr} = await stage.emit('--for', 'kustomize', '--source', 'layout', ...REGISTRY)
  expect(code).toBe(0)
  expect(stdout).toContain('- name: gcr.io/team/app\n    newName: registry.example:5000/mirror/team/app\n')
  expect(stderr).toContain('1 of 2 images in layout have no name')
})
