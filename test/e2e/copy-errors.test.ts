import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {
  addImage,
  lacksTool,
  makeImage,
  makeTempDir,
  ociLayout,
  runMirror,
  startMirror,
  withTempDir,
  writeDirectory,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {copy, copyScene, type CopyScene} from './copy.js'
import {parseReport} from './push.js'

describe.skipIf(lacksTool('skopeo', 'docker-registry'))('mirror copy', () => {
  let scene: CopyScene
  beforeAll(async () => {
    scene = await copyScene()
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  describe('ends with a code that says whose fault it is, and leaves nothing behind', () => {
    test.each([
      ['no transport', 'nginx', 'dir:x', 2, 'docker://'],
      ['a transport that only skopeo has', 'docker-daemon:nginx', 'dir:x', 2, 'docker-daemon'],
      ['no path', 'oci:', 'dir:x', 2, 'no path'],
      ['no slashes', 'docker:nginx', 'dir:x', 2, 'docker://'],
      ['a bad name', 'docker://UPPER/Case', 'dir:x', 2, 'lower case'],
      ['a source that is not there', 'oci:/no/such/layout:x', 'dir:x', 2, '/no/such/layout'],
      ['a REF that leads elsewhere', 'dir:/no', 'oci:x:../../etc', 2, 'not a name that an OCI layout takes'],
      [
        'a digest in a docker-archive',
        'dir:/no',
        `docker-archive:x:a@sha256:${'0'.repeat(64)}`,
        2,
        'no digests',
      ],
      ['standard output', 'dir:/no', 'oci-archive:-', 2, 'standard output'],
      ['a closed port', 'docker://127.0.0.1:1/a:b', 'dir:x', 1, 'source'],
    ])('%s', async (_, from, to, expected, text) => {
      const home = await makeTempDir()
      try {
        const {code, stdout, stderr} = await runMirror(
          argv`copy ${from} ${to} --source-plain-http --source-retries 0 --no-state`,
          {cwd: home.path},
        )
        expect({code, stderr}).toMatchObject({code: expected})
        expect(stderr).toContain(text)
        expect(stdout).toBe('')
        expect((await readdir(home.path)).filter((name) => !name.startsWith('.'))).toEqual([])
      } finally {
        await home.remove()
      }
    })

    test('a login in a name is not repeated', async () => {
      const {code, stdout, stderr} = await runMirror(argv`copy docker://user:hunter2@host/a:b dir:x --json`)
      expect(code).toBe(2)
      expect(stdout + stderr).not.toContain('hunter2')
    })

    test('an image that the registry lacks', async () => {
      const {code, stderr} = await copy(
        `docker://${scene.registry.host}/originals/none:v1`,
        scene.place('oci'),
      )
      expect(code).toBe(1)
      expect(stderr).toContain('error: source:')
    })

    test('a target that must not be touched', async () => {
      const home = join(scene.directory.path, 'home')
      await mkdir(home)
      await writeFile(join(home, 'thesis.txt'), 'important')
      const from = scene.layout
      for (const target of [
        `dir:${home}`,
        `oci:${home}:x`,
        `docker-archive:${home}/thesis.txt`,
        `oci-archive:${home}`,
      ]) {
        expect(await copy(from, target)).toMatchObject({code: 2})
      }
      expect(await readdir(home)).toEqual(['thesis.txt'])
      expect(await readFile(join(home, 'thesis.txt'), 'utf8')).toBe('important')
    })

    test('a blob that is damaged: no archive, and the layout has no name for it', async () => {
      const damaged = join(scene.directory.path, 'damaged')
      await writeDirectory(damaged, ociLayout([{image: scene.single}]))
      const layer = scene.single.platforms[0]?.layers[0]
      const path = join(damaged, 'blobs/sha256', layer?.descriptor.digest.slice(7) ?? '')
      await writeFile(path, Buffer.alloc(layer?.bytes.length ?? 0))
      const before = await readdir(scene.directory.path)
      for (const transport of ['oci-archive', 'docker-archive', 'dir'] as const) {
        const target = scene.place(transport)
        const {code, report} = await copy(`oci:${damaged}`, target)
        expect(code).toBe(1)
        expect(report.images).toMatchObject([
          {status: 'failed', error: {code: 'DIGEST_MISMATCH', side: 'source'}},
        ])
      }
      const after = await readdir(scene.directory.path)
      const left = after.filter((name) => !before.includes(name))
      expect(left).toEqual([expect.stringMatching(/^place-\d+$/)])
      expect(await readdir(join(scene.directory.path, left[0] ?? ''))).not.toContain('manifest.json')
    })

    test('a signal: what was begun beside the archive is gone', async () => {
      await using registry = await startRegistry({strict: true})
      // More than what is finished because it is nearly done.
      const big = await makeImage({seed: 'big', layers: 1, layerSize: 24_000_000, content: 'random'})
      await addImage(registry, big, {repository: 'big', tag: 'v1'})
      await withTempDir(async (path) => {
        const to = `oci-archive:${join(path, 'big.tar')}`
        const slow = argv`--source-plain-http --source-limit-rate 2MB --no-state --json`
        const running = await startMirror(argv`copy docker://${registry.host}/big:v1 ${to} ${slow}`)
        await expect.poll(() => readdir(path)).toHaveLength(1)
        running.kill('SIGTERM')
        const result = await running.result
        expect(result.code).toBe(143)
        expect(parseReport(result)).toMatchObject({outcome: 'cancelled'})
        expect(await readdir(path)).toEqual([])
      })
    })
  })
})
