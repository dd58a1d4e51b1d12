import {writeFile} from 'node:fs/promises'
import {
  cleanEnvironment,
  containerdSocket,
  makeImage,
  requireTool,
  runChild,
  skopeo,
  startContainerd,
} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {saveScene, type SaveScene} from './save.js'

async function oneBundle(scene: SaveScene, flags: readonly string[] = []): Promise<Bundle> {
  const image = await makeImage({seed: 'save-tools', layers: 2})
  const name = await scene.add('team/app:v1', image)
  const path = await scene.saved(await scene.list(name), 'bundle.tar', flags)
  return {path, name, digest: image.root.descriptor.digest}
}

interface Bundle {
  readonly path: string
  readonly name: string
  readonly digest: string
}

test('skopeo copies an image out of a saved bundle by its full name', async (context) => {
  requireTool(context, 'skopeo')
  await using scene = await saveScene()
  const {path, name} = await oneBundle(scene)
  await skopeo(['copy', '--quiet', `oci-archive:${path}:${name}`, `dir:${scene.path('dir')}`])
  const {code} = await runChild('test', ['-f', scene.path('dir/manifest.json')])
  expect(code).toBe(0)
})

test('podman loads a saved bundle under its full name', async (context) => {
  requireTool(context, 'podman')
  await using scene = await saveScene()
  const {path, name} = await oneBundle(scene)
  await writeFile(scene.path('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
  const storage = ['--root', scene.path('root'), '--runroot', scene.path('run'), '--storage-driver', 'vfs']
  const podman = (...args: readonly string[]) =>
    runChild('podman', [...storage, ...args], {env: cleanEnvironment(scene.directory)})
  const loaded = await podman('load', '--signature-policy', scene.path('policy.json'), '--input', path)
  expect({code: loaded.code, stderr: loaded.stderr}).toMatchObject({code: 0})
  const {stdout} = await podman('images', '--format', '{{.Repository}}:{{.Tag}}')
  expect(stdout.trim()).toBe(name)
})

test('containerd imports a saved bundle under its full name and digest', async (context) => {
  requireTool(context, 'containerd')
  requireTool(context, 'ctr')
  await using scene = await saveScene()
  const {path, name, digest} = await oneBundle(scene)
  await writeFile(scene.path('config.toml'), 'version = 2\n')
  const env = cleanEnvironment(scene.directory)
  const containerd = await startContainerd({
    directory: scene.directory,
    config: scene.path('config.toml'),
    env,
  })
  try {
    const ctr = (...args: readonly string[]) =>
      runChild('ctr', ['--address', containerdSocket(scene.directory), ...args], {env})
    const {code, stderr} = await ctr('images', 'import', '--no-unpack', path)
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const {stdout} = await ctr('images', 'list')
    expect(stdout.split('\n').find((line) => line.startsWith(name))).toContain(digest)
  } finally {
    containerd.kill('SIGTERM')
    await containerd.result
  }
})
