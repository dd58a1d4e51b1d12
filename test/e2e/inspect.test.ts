import {createReadStream} from 'node:fs'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {
  addImage,
  makeImage,
  makeTempDir,
  runMirror,
  type ChildResult,
  type RunMirrorOptions,
} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {saveScene, type SaveScene} from './save.js'

/** The JSON as a script reads it: only what the tests look at. */
interface ReadInspection {
  readonly schema: string
  readonly bundle: {
    readonly kind: string
    readonly format: string
    readonly producer?: string
    readonly compression: {readonly codec: string; readonly blocks?: number}
    readonly volumes: readonly object[]
    readonly leftOut: {readonly blobs: number}
  }
  readonly totals: {readonly referrers: object; readonly signed: number}
  readonly images: readonly {
    readonly name: string
    readonly status: string
    readonly digest?: string
    readonly bytes: {readonly leftOut: number}
  }[]
  readonly error?: {readonly code: string}
}

interface Inspected extends ChildResult {
  readonly found: ReadInspection
}

async function inspect(
  scene: SaveScene,
  args: readonly string[],
  options: RunMirrorOptions = {},
): Promise<Inspected> {
  const result = await runMirror(['inspect', ...args, '--json'], {home: scene.directory, ...options})
  return {...result, found: JSON.parse(result.stdout) as ReadInspection}
}

test('a saved bundle is inspected from its file, its volumes and standard input', async () => {
  await using scene = await saveScene()
  const app = await makeImage({
    seed: 'inspect-app',
    platforms: ['linux/amd64', 'linux/arm64'],
    content: 'random',
    layerSize: 60_000,
  })
  const name = await scene.add('team/app:v1', app)
  const signature = await makeImage({
    seed: 'inspect-signature',
    layers: 1,
    subject: app.root.descriptor,
    artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  })
  await addImage(scene.source, signature, {repository: 'team/app'})
  const list = await scene.list(name)
  const bundle = await scene.saved(list, 'bundle.tar.xz')
  const first = await inspect(scene, [bundle])
  expect({code: first.code, stderr: first.stderr}).toEqual({code: 0, stderr: ''})
  expect(first.found).toMatchObject({
    schema: 'mirror.inspect/v1',
    bundle: {kind: 'file', producer: 'own', compression: {codec: 'xz'}},
    totals: {signed: 1, referrers: {signature: 1, attestation: 0, sbom: 0, other: 0}},
    images: [{name, status: 'ok', digest: app.root.descriptor.digest}],
  })
  const piped = await inspect(scene, ['-'], {stdin: createReadStream(bundle)})
  expect(piped.code).toBe(0)
  expect(piped.found.bundle).toMatchObject({kind: 'stream', compression: {codec: 'xz'}})
  expect(piped.found.images).toEqual(first.found.images)
  await scene.saved(list, 'set.tar', ['--max-size', '100000'])
  const set = await inspect(scene, [scene.path('set.tar.001')])
  expect(set.code).toBe(0)
  expect(set.found.bundle.volumes.length).toBeGreaterThan(1)
  expect(set.found.images).toEqual(first.found.images)
})

test('what a delta bundle leaves out is told, and is no damage', async () => {
  await using scene = await saveScene()
  const old = await scene.add('team/app:v1')
  const before = await scene.saved(await scene.list(old), 'old.tar')
  const next = await scene.add('team/tool:v1')
  const delta = await scene.saved(await scene.list(old, next), 'delta.tar', ['--since', before])
  const {code, found} = await inspect(scene, [delta])
  expect(code).toBe(0)
  expect(found.bundle.leftOut.blobs).toBeGreaterThan(0)
  expect(found.images.map(({status, bytes}) => [status, bytes.leftOut > 0])).toEqual([
    ['ok', true],
    ['ok', false],
  ])
})

test('a file that is no bundle is exit code 2, with the reason in the JSON too', async () => {
  await using scene = await saveScene()
  const path = scene.path('notes.txt')
  await writeFile(path, 'notes')
  const {code, found, stderr} = await inspect(scene, [path])
  expect(code).toBe(2)
  expect(found).toMatchObject({schema: 'mirror.inspect/v1', error: {code: 'SOURCE_UNKNOWN'}})
  expect(stderr).toContain('is not an archive: it is text')
})

test.each([
  [['--nope', 'bundle.tar'], '', 'unknown flag --nope'],
  [[], '', 'missing argument BUNDLE'],
  [
    ['bundle.tar', '--html', 'bundle.tar'],
    'bundle.tar',
    '--html bundle.tar cannot be written: it is the bundle bundle.tar',
  ],
])('a wrong call with --json has its error in the JSON: %j', async (args, source, message) => {
  await using directory = await makeTempDir()
  const result = await runMirror(['inspect', ...args, '--json'], {cwd: directory.path})
  expect(result.code).toBe(2)
  const found: unknown = JSON.parse(result.stdout)
  expect(found).toMatchObject({
    schema: 'mirror.inspect/v1',
    source,
    error: {code: expect.any(String), message},
  })
})

test('a directory without images is of no known form, and not several archives', async () => {
  await using scene = await saveScene()
  const path = scene.path('empty')
  await mkdir(path)
  const {code, found} = await inspect(scene, [path])
  expect({code, format: found.bundle.format}).toEqual({code: 2, format: 'unknown'})
  const {stdout} = await runMirror(['inspect', path], {home: scene.directory})
  expect(stdout).toContain(`${path}: no form of images that is known`)
})

test('a page is written beside the table, and a place where it cannot be is refused before any work', async () => {
  await using scene = await saveScene()
  const bundle = await scene.saved(await scene.list(await scene.add('team/app:v1')), 'bundle.tar')
  const page = scene.path('bundle.html')
  const {code, stdout} = await runMirror(['inspect', bundle, '--html', page], {home: scene.directory})
  expect({code, stdout}).toMatchObject({code: 0, stdout: expect.stringContaining('team/app:v1') as string})
  expect(await readFile(page, 'utf8')).toMatch(/^<!doctype html>[^]*team\/app:v1[^]*<\/html>\s*$/)
  const nowhere = await runMirror(
    ['inspect', scene.path('absent.tar'), '--html', scene.path('no/page.html')],
    {
      home: scene.directory,
    },
  )
  expect(nowhere.code).toBe(2)
  expect(nowhere.stderr).toContain(
    `--html ${scene.path('no/page.html')} cannot be written: there is no directory`,
  )
})
