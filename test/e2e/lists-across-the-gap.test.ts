import {readFile} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'
import {parseReference} from '@airgap-mirror/oci-client/model'
import {addImage, makeImage, runMirror} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {faultsIn} from './push.js'
import {saveScene} from './save.js'
import {statuses, withReport} from './sync.js'

const inputs = fileURLToPath(new URL('../inputs/lists/', import.meta.url))
const lists = ['k3s-images.txt', 'rke2-images.linux-amd64.txt'].map((name) => `${inputs}${name}`)

test('the lists of K3s and RKE2 go from bundle to registry to proof, with small stand-ins under their names', async () => {
  await using scene = await saveScene()
  const lines = (await Promise.all(lists.map((list) => readFile(list, 'utf8')))).join('\n').split('\n')
  const names = lines.filter((line) => line !== '')
  expect(names.length).toBe(42)
  for (const name of names) {
    const {repository, tag} = parseReference(name)
    const image = await makeImage({seed: name, layers: 1, layerSize: 500})
    await addImage(scene.source, image, {repository, tag})
  }
  const mirrors = await scene.write(
    'registries.conf',
    `[[registry]]\nprefix = "docker.io"\nlocation = "${scene.source.host}"\ninsecure = true\n`,
  )
  const images = lists.flatMap((list) => ['--images', list])
  const bundle = scene.path('bundle.tar.zst')
  const saved = await scene.save([...images, '--output', bundle, '--source-mirrors', mirrors])
  expect({code: saved.code, stderr: saved.stderr}).toMatchObject({code: 0})
  const pushed = await scene.push(bundle, images)
  expect({code: pushed.code, count: pushed.report.totals.succeeded}).toEqual({code: 0, count: 42})
  expect(faultsIn(scene.target)).toEqual([])
  const target = ['--private-registry', `${scene.target.host}/mirror`, '--plain-http']
  const verify = ['verify', '--source', bundle, ...images, ...target, '--deep', '--json']
  const verified = withReport(await runMirror(verify, {home: scene.directory}))
  expect({code: verified.code, statuses: new Set(statuses(verified.report))}).toEqual({
    code: 0,
    statuses: new Set(['verified']),
  })
})
