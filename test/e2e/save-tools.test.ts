import {writeFile} from 'node:fs/promises'
import {
  cleanEnvironment,
  containerdSocket,
  makeImage,
  requireTool,
  runChild,
  skopeo,
  startContainerd,
  type ChildResult,
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

type Podman = (...args: readonly string[]) => Promise<ChildResult>

/** Debian's podman with a store in the directory of the scene. */
async function podmanOf(scene: SaveScene): Promise<Podman> {
  await writeFile(scene.path('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
  const storage = ['--root', scene.path('root'), '--runroot', scene.path('run'), '--storage-driver', 'vfs']
  return (...args) => runChild('podman', [...storage, ...args], {env: cleanEnvironment(scene.directory)})
}

async function imagesOf(podman: Podman): Promise<readonly string[]> {
  const {stdout} = await podman('images', '--format', '{{.Repository}}:{{.Tag}}')
  return stdout.trim().split('\n').toSorted()
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
  const podman = await podmanOf(scene)
  const loaded = await podman('load', '--signature-policy', scene.path('policy.json'), '--input', path)
  expect({code: loaded.code, stderr: loaded.stderr}).toMatchObject({code: 0})
  expect(await imagesOf(podman)).toEqual([name])
})

test('podman pulls one image of a saved bundle, and loads all of them with --docker-compatible', async (context) => {
  requireTool(context, 'podman')
  await using scene = await saveScene()
  const names = await Promise.all(
    ['one', 'two'].map(async (seed) => scene.add(`team/${seed}:v1`, await makeImage({seed, layers: 1}))),
  )
  const list = await scene.list(...names)
  const plain = await scene.saved(list, 'plain.tar')
  const compatible = await scene.saved(list, 'compatible.tar', ['--docker-compatible'])
  const podman = await podmanOf(scene)
  const [name = ''] = names
  const policy = ['--signature-policy', scene.path('policy.json')]
  expect(await podman('pull', ...policy, `oci-archive:${plain}:${name}`)).toMatchObject({code: 0})
  expect(await imagesOf(podman)).toEqual([name])
  expect(await podman('load', ...policy, '--input', plain)).toMatchObject({
    code: 125,
    stderr: expect.stringContaining('more than one image'),
  })
  expect(await podman('load', ...policy, '--input', compatible)).toMatchObject({code: 0})
  expect(await imagesOf(podman)).toEqual(names.toSorted())
})

test('containerd imports a saved bundle under its full name and digest', async (context) => {
  requireTool(context, 'containerd')
  requireTool(context, 'ctr')
  if (process.getuid?.() !== 0) context.skip('containerd needs the rights of root')
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
