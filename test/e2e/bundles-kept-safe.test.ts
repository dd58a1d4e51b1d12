import {createHash} from 'node:crypto'
import {link, readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  cleanEnvironment,
  lacksTool,
  makeImage,
  mirrorProgram,
  ociLayout,
  runInTerminal,
  runMirror,
  withTempDir,
  writeTar,
} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {argv} from './argv.js'
import {saveScene, type SaveScene} from './save.js'
import {statuses, withReport} from './sync.js'

interface Saved extends AsyncDisposable {
  readonly scene: SaveScene
  readonly list: string
  readonly bundle: string
}

async function saved(): Promise<Saved> {
  const scene = await saveScene()
  const list = await scene.list(await scene.add('app:v1', await makeImage({seed: 'kept-safe', layers: 1})))
  const bundle = await scene.saved(list, 'bundle.tar')
  return {scene, list, bundle, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]()}
}

async function sumOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

test('No output replaces a bundle that the run reads or writes, by whatever path', async () => {
  await using before = await saved()
  const {scene, list, bundle} = before
  await link(bundle, scene.path('same.tar'))
  const sum = await sumOf(bundle)
  const target = argv`--private-registry ${scene.target.host} --plain-http`
  for (const args of [
    argv`push --source ${bundle} ${target} --report ${bundle}`,
    argv`push --source ${bundle} ${target} --failed ${scene.path('same.tar')}`,
    argv`verify --source ${bundle} ${target} --junit ${scene.path('./bundle.tar')}`,
    argv`verify --source ${bundle} --metrics ${bundle}`,
    argv`inspect ${bundle} --html ${bundle}`,
    argv`inspect --diff ${bundle} ${bundle} --html ${scene.path('same.tar')}`,
    argv`copy oci-archive:${bundle} docker://${scene.target.host}/copy:v1 --plain-http --report ${bundle}`,
    argv`save --images ${list} --source-plain-http --output ${bundle} --report ${bundle}`,
    argv`save --images ${list} --source-plain-http --output ${scene.path('new.tar')} --report ${scene.path('new.tar')}`,
    argv`save --images ${list} --source-plain-http --output ${bundle} --lock ${scene.path('same.tar')}`,
  ]) {
    const {code, stderr} = await runMirror(args, {home: scene.directory})
    expect({args, code, stderr}).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/cannot be written: it is the bundle /) as string,
    })
  }
  expect(await sumOf(bundle)).toBe(sum)
})

test('A delta bundle is not written over the bundle that it is made after', async () => {
  await using before = await saved()
  const {scene, list, bundle} = before
  await symlink(bundle, scene.path('link.tar'))
  const directory = await scene.saved(list, 'layout')
  await scene.saved(list, 'parts.tar', ['--max-size', '64K'])
  const sum = await sumOf(bundle)
  for (const [older, output] of [
    [bundle, bundle],
    [scene.path('link.tar'), scene.path('./bundle.tar')],
    [directory, `${directory}/`],
    [scene.path('parts.tar.001'), scene.path('parts.tar')],
  ] as const) {
    const {code, stderr} = await scene.save(argv`--images ${list} --since ${older} --output ${output}`)
    const told = expect.stringContaining('is the bundle that --since names') as string
    expect({older, code, stderr}).toEqual({older, code: 2, stderr: told})
  }
  expect(await sumOf(bundle)).toBe(sum)
})

test('Two outputs are not written into one file, and a list may be replaced by what is left of it', async () => {
  await using before = await saved()
  const {scene, list, bundle} = before
  const run = (flags: readonly string[]): ReturnType<typeof runMirror> =>
    runMirror(
      argv`push --source ${bundle} --private-registry ${scene.target.host}/mirror --plain-http ${flags}`,
      {home: scene.directory},
    )
  const twice = await run(argv`--report ${scene.path('one')} --failed ${scene.path('one')}`)
  expect(twice).toMatchObject({code: 2, stderr: expect.stringContaining('--report names it, too') as string})
  await symlink('.', scene.path('here'))
  await symlink('three', scene.path('link'))
  for (const [report, trace] of [
    ['two', 'here/two'],
    ['three', 'link'],
  ] as const) {
    const linked = await run(argv`--report ${scene.path(report)} --trace ${scene.path(trace)}`)
    expect(linked).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--report names it, too') as string,
    })
  }
  expect(await run(argv`--failed -`)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('standard output is /dev/stdout here') as string,
  })
  expect(await run(argv`--report /dev/null --failed /dev/null`)).toMatchObject({code: 0})
  expect(await run(argv`--images ${list} --failed ${list}`)).toMatchObject({code: 0})
})

test('A delta bundle alone is whole, and says what only the registry can show', async () => {
  await using before = await saved()
  const {scene, list, bundle} = before
  const delta = await scene.saved(list, 'delta.tar', ['--since', bundle])
  const verify = async (path: string): Promise<ReturnType<typeof withReport>> =>
    withReport(await runMirror(argv`verify --json --source ${path}`, {home: scene.directory}))
  const {code, stderr, report} = await verify(delta)
  expect({code, statuses: statuses(report)}).toEqual({code: 0, statuses: ['verified']})
  expect(stderr).toMatch(/not checked: 2 blobs \(.*\) that this delta bundle leaves to the registry/)
  // The config that names its platform is left out.
  const {stdout} = await runMirror(argv`inspect ${delta}`, {home: scene.directory})
  expect(stdout).toMatch(/ - {10}no {6}\S+app:v1$/m)
  const bytes = await readFile(delta)
  const at = bytes.indexOf('"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest')
  bytes[at + 4] = (bytes[at + 4] ?? 0) ^ 1
  await writeFile(scene.path('damaged.tar'), bytes)
  expect((await verify(scene.path('damaged.tar'))).code).not.toBe(0)
})

test('A signature of an image without a name is called by its digest', async () => {
  await withTempDir(async (home) => {
    const image = await makeImage({seed: 'nameless', layers: 1})
    const signature = await makeImage({seed: 'nameless-sig', layers: 1, subject: image.root.descriptor})
    await writeTar(join(home, 'layout.tar'), ociLayout([{image}, {image: signature}]))
    const {report} = withReport(await runMirror(argv`verify --json --source layout.tar`, {home}))
    expect(report.images.map(({source}) => source)).toEqual(['layout.tar', signature.root.descriptor.digest])
  })
})

test('--since takes what a verification proved, and warns of a report in which nothing arrived', async () => {
  await using before = await saved()
  const {scene, list, bundle} = before
  expect((await scene.push(bundle)).code).toBe(0)
  const report = scene.path('report.json')
  const verify = argv`verify --source ${bundle} --private-registry ${scene.target.host}/mirror --plain-http`
  await runMirror([...verify, '--report', report], {home: scene.directory})
  const save = async (name: string): ReturnType<SaveScene['save']> =>
    scene.save(argv`--images ${list} --output ${scene.path(name)} --since ${report}`)
  const proved = await save('proved.tar')
  expect(proved.report.totals.blobs).toMatchObject({uploaded: 0, present: 2})
  expect(proved.stderr).not.toContain('names no image')
  await runMirror([...verify, '--map-host', 'keep', '--report', report], {home: scene.directory})
  expect((await save('whole.tar')).stderr).toContain('names no image that the far side has')
})

test.skipIf(lacksTool('script'))('A bundle is not written to a terminal', async () => {
  await using before = await saved()
  const {scene, list} = before
  const args = argv`save --images ${list} --source-plain-http --output -`
  const {code, transcript} = await runInTerminal(process.execPath, [mirrorProgram(), ...args], {
    env: cleanEnvironment(scene.directory),
    cwd: scene.directory,
    dialogue: [],
  })
  expect({code, transcript}).toMatchObject({
    code: 2,
    transcript: expect.stringContaining('would write a bundle to the terminal') as string,
  })
})

test('No image vanishes because it lacks the chosen platform: save fails it, push and verify warn of it', async () => {
  await using scene = await saveScene()
  const both = await makeImage({seed: 'fits', layers: 1, platforms: ['linux/amd64', 'linux/arm64']})
  const references = [await scene.add('both:v1', both), await scene.add('amd64:v1')]
  const list = await scene.list(...references)
  const arm64 = ['--platform', 'linux/arm64']
  const cut = await scene.save(['--images', list, '--output', scene.path('cut.tar'), ...arm64])
  expect({code: cut.code, statuses: statuses(cut.report)}).toEqual({code: 3, statuses: ['pushed', 'failed']})
  expect(cut.stderr).toContain('there is nothing for linux/arm64')
  const bundle = await scene.saved(list, 'whole.tar')
  const told = `warning: left out, since there is nothing for linux/arm64: ${references[1]}`
  const pushed = await scene.push(bundle, arm64)
  expect({code: pushed.code, statuses: statuses(pushed.report)}).toEqual({code: 0, statuses: ['pushed']})
  expect(pushed.stderr).toContain(told)
  const target = argv`--private-registry ${scene.target.host}/mirror --plain-http --source-plain-http`
  for (const from of [argv`--source ${bundle}`, argv`--images ${list}`]) {
    const {code, stderr} = await runMirror(argv`verify ${from} ${target} ${arm64}`, {home: scene.directory})
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining(told) as string})
  }
})
