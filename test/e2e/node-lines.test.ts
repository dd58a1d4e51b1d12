import {createHash} from 'node:crypto'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  addImage,
  cleanEnvironment,
  compress,
  dockerArchive,
  makeImage,
  makeTempDir,
  mirrorProgram,
  ociLayout,
  requireNodeLines,
  runChild,
  tarBytes,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {expect, test} from 'vitest'
import {argv} from './argv.js'
import {named} from './push.js'

test('every line of Node.js pushes xz, zstd and plain layers to the same digests, and saves the same bytes', async (context) => {
  const lines = requireNodeLines(context)
  await using directory = await makeTempDir()
  await using registry = await startRegistry()
  const at = (name: string): string => join(directory.path, name)

  const packed = await makeImage({seed: 'packed', layerSize: 20_000})
  const plain = await makeImage({seed: 'plain', content: 'text', layerSize: 300_000, format: 'docker'})
  const inner = await tarBytes(ociLayout([named('a.example/packed:v1', packed)]))
  const archives = await tarBytes([
    {path: 'packed.tar.zst', bytes: await compress(inner, {type: 'zstd'})},
    {path: 'plain.tar', bytes: await tarBytes(dockerArchive([{image: plain, tags: ['a.example/plain:v1']}]))},
  ])
  await writeFile(at('bundle.tar.xz'), await compress(archives, {type: 'xz'}))
  await addImage(registry, packed, {repository: 'saved', tag: 'v1'})
  await writeFile(at('list.txt'), `${registry.host}/saved:v1\n`)

  const results = await Promise.all(
    [...lines].map(async ([line, node]) => {
      const run = async (args: readonly string[]): Promise<void> => {
        const options = {env: cleanEnvironment(at(`home-${line}`)), cwd: directory.path}
        const {code, stderr} = await runChild(node, [mirrorProgram(), ...args], options)
        // Node.js prints its warnings of deprecated or experimental parts on standard error.
        expect({line, code, stderr}).toEqual({line, code: 0, stderr: ''})
      }
      const target = `${registry.host}/line-${line}`
      await run(argv`push --source bundle.tar.xz --private-registry ${target} --plain-http --quiet`)
      const output = `line-${line}.tar.zst`
      await run(argv`save --images list.txt --source-plain-http --output ${output} --quiet`)
      const saved = createHash('sha256')
        .update(await readFile(at(output)))
        .digest('hex')
      const pushed = ['packed', 'plain'].map(
        (name) => registry.manifest(`line-${line}/${name}`, 'v1')?.digest,
      )
      return {saved, pushed}
    }),
  )
  expect(results).toHaveLength(4)
  expect(results[0]?.pushed).toEqual([packed.root.descriptor.digest, expect.stringMatching(/^sha256:/)])
  for (const result of results) expect(result).toEqual(results[0])
  expect(registry.fsck()).toEqual([])
})
