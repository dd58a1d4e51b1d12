import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  compress,
  makeImage,
  makeTempDir,
  mirrorProgram,
  ociLayout,
  requireArm64,
  tarBytes,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {expect, test} from 'vitest'
import {argv} from './argv.js'
import {faultsIn, named, parseReport} from './push.js'

test('linux-arm64 has no native decoder, and reads xz and zstd with those that run everywhere', async (context) => {
  const run = requireArm64(context)
  await using directory = await makeTempDir()
  const registry = await startRegistry()
  try {
    const inner = async (seed: string): Promise<Buffer> =>
      tarBytes(ociLayout([named(`a.example/${seed}:v1`, await makeImage({seed}))]))
    const both = await tarBytes([
      {path: 'plain.tar', bytes: await inner('one')},
      {path: 'packed.tar.zst', bytes: await compress(await inner('two'), {type: 'zstd'})},
    ])
    const source = join(directory.path, 'bundle.tar.xz')
    await writeFile(source, await compress(both, {type: 'xz'}))
    const args = argv`push --source ${source} --private-registry ${registry.host} --plain-http --json --verbose`
    const result = await run([mirrorProgram(), ...args], {home: directory.path})
    expect([result.code, result.stderr]).toEqual([
      0,
      expect.stringMatching(/^decoders: xz by portable, zstd by \S+; .*lzma-native does not load: /m),
    ])
    expect(parseReport(result).images.map(({status}) => status)).toEqual(['pushed', 'pushed'])
    expect(faultsIn(registry)).toEqual([])
  } finally {
    await registry.close()
  }
}, 600_000)
