import {createReadStream} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import {makeImage, mirrorProgram, runChild, runMirror} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {faultsIn} from './push.js'
import {saveScene, type SaveScene} from './save.js'
import {withReport, type Synced} from './sync.js'

const LARGE = 3_000_000

async function piped(scene: SaveScene, bundle: string, flags: readonly string[] = []): Promise<Synced> {
  const target = `${scene.target.host}/mirror`
  const args = ['push', '--source', '-', '--private-registry', target, '--plain-http', '--json', ...flags]
  return withReport(await runMirror(args, {home: scene.directory, stdin: createReadStream(bundle)}))
}

test('a saved bundle is pushed from standard input in one pass, also if an upload breaks off', async () => {
  const isUpload = {method: 'PATCH', kind: 'send'} as const
  await using scene = await saveScene({
    target: {faults: [{match: isUpload, fault: {type: 'reset-in-body', after: 700_000}}]},
  })
  const app = await makeImage({seed: 'one-pass-app', content: 'random', layerSize: LARGE})
  const tool = await makeImage({seed: 'one-pass-tool', base: app.platforms[0]?.layers ?? [], layers: 1})
  const list = await scene.list(await scene.add('team/app:v1', app), await scene.add('tool:v2', tool))
  const bundle = await scene.saved(list, 'bundle.tar.xz')
  const {code, stderr, report} = await piped(scene, bundle, ['--no-scratch'])
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(report.totals.bytes).toMatchObject({scratchPeak: 0})
  expect(report.totals.bytes.decoded).toBeGreaterThan(2 * LARGE)
  expect(report.totals.retries).toBeGreaterThan(0)
  expect(scene.at('team/app:v1')).toBe(app.root.descriptor.digest)
  expect(scene.at('tool:v2')).toBe(tool.root.descriptor.digest)
  expect(faultsIn(scene.target)).toEqual([])
  // The program that writes the bundle ends well, although nothing of it is needed.
  const push = `${process.execPath} ${mirrorProgram()} push --source - --private-registry ${scene.target.host}/mirror --plain-http --quiet`
  const script = `set -o pipefail; cat ${bundle} | ${push}`
  const again = await runChild('bash', ['-c', script], {
    env: {PATH: process.env['PATH'], HOME: scene.directory},
  })
  expect(again).toMatchObject({code: 0, stderr: ''})
})

test('a layer of two repositories fails the second if the registry mounts nothing, and the next run sends it', async () => {
  await using scene = await saveScene({target: {mount: 'off'}})
  const app = await makeImage({seed: 'one-pass-first', content: 'random', layerSize: LARGE, layers: 1})
  const tool = await makeImage({seed: 'one-pass-second', base: app.platforms[0]?.layers ?? [], layers: 1})
  const list = await scene.list(await scene.add('app:v1', app), await scene.add('tool:v2', tool))
  const bundle = await scene.saved(list, 'bundle.tar')
  const first = await piped(scene, bundle)
  expect({code: first.code, error: first.report.images[1]?.error}).toMatchObject({
    code: 3,
    error: {code: 'SOURCE_PASSED', hint: expect.stringContaining('--scratch DIR')},
  })
  expect(scene.at('app:v1')).toBe(app.root.descriptor.digest)
  expect(await piped(scene, bundle)).toMatchObject({code: 0})
  expect(scene.at('tool:v2')).toBe(tool.root.descriptor.digest)
})

test('standard input that is a file is read as the file, unless a part of it was read before or it is gzip', async () => {
  await using scene = await saveScene()
  const list = await scene.list(await scene.add('team/app:v1'))
  const bundle = await scene.saved(list, 'bundle.tar.xz')
  const oneWay = await scene.saved(list, 'bundle.tar.gz')
  const shifted = scene.path('shifted')
  await writeFile(shifted, Buffer.concat([Buffer.from('a line before\n'), await readFile(bundle)]))
  const verify = `${process.execPath} ${mirrorProgram()} verify --source - --no-scratch --json --verbose`
  const reading = async (script: string): Promise<unknown> => {
    const env = {PATH: process.env['PATH'], HOME: scene.directory}
    const {code, stderr} = await runChild('bash', ['-c', script], {env})
    return {code, isFile: stderr.includes('standard input is the file')}
  }
  expect(await reading(`${verify} <${bundle}`)).toEqual({code: 0, isFile: true})
  expect(await reading(`${verify} <${oneWay}`)).toEqual({code: 0, isFile: false})
  expect(await reading(`(read -r line; ${verify}) <${shifted}`)).toEqual({code: 0, isFile: false})
  expect(await reading(`rm ${shifted}; ${verify} < <(cat ${bundle})`)).toEqual({code: 0, isFile: false})
  expect(await reading(`exec <${bundle}; rm ${bundle}; ${verify}`)).toEqual({code: 0, isFile: false})
})

test('verify reads a saved bundle from standard input in one pass', async () => {
  await using scene = await saveScene()
  const list = await scene.list(await scene.add('team/app:v1'))
  const bundle = await scene.saved(list, 'bundle.tar.zst')
  const args = ['verify', '--source', '-', '--no-scratch', '--json']
  const {code, stdout} = await runMirror(args, {home: scene.directory, stdin: createReadStream(bundle)})
  expect({code, stdout}).toMatchObject({code: 0, stdout: expect.stringContaining('"scratchPeak": 0')})
})
