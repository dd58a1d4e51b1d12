import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {decoders} from '@airgap-mirror/bundle/internal'
import {makeImage, mirrorProgram, withTempDir} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {named, push, writeOciBundle} from './push.js'

const directory = join(dirname(mirrorProgram()), '..', 'dist', 'bundle')

/** Chunks and what they import before they run: all that is loaded with them. */
function loadedWith(files: readonly string[], seen = new Set<string>()): ReadonlySet<string> {
  for (const file of files) {
    if (seen.has(file)) continue
    seen.add(file)
    const statics = textOf(file).matchAll(/^(?:import|export)[^;]*?"\.\/([^"]+)";/gm)
    loadedWith(
      [...statics].map(([, imported = '']) => imported),
      seen,
    )
  }
  return seen
}

function textOf(file: string): string {
  return readFileSync(join(directory, file), 'utf8')
}

/** The chunk that the start loads for all that is more than its version. */
function programChunk(): string {
  return /import\("\.\/(program-[^"]+)"\)/.exec(textOf('main.js'))?.[1] ?? ''
}

/** The chunk that a command loads when it runs. */
function chunkOf(command: string): string {
  const table = [...loadedWith([programChunk()])].map(textOf).join('\n')
  return new RegExp(`import\\("\\./(run-${command}-[^"]+)"\\)`).exec(table)?.[1] ?? ''
}

function packagesIn(files: Iterable<string>): ReadonlySet<string> {
  const maps = [...files].map((file) => join(directory, `${file}.map`)).filter((path) => existsSync(path))
  const sources = maps.flatMap(
    (path) => (JSON.parse(readFileSync(path, 'utf8')) as {sources: readonly string[]}).sources,
  )
  return new Set(
    sources.flatMap((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.slice(1, 2) ?? []),
  )
}

describe('the bundled program', () => {
  test.each(['push', 'sync', 'copy'])('loads for a %s neither YAML, nor RE2, nor prompts', (command) => {
    const packages = packagesIn(loadedWith(['main.js', programChunk(), chunkOf(command)]))
    expect(packages).toContain('undici')
    for (const name of ['yaml', 're2js', 'smol-toml', '@inquirer/core', 'cli-progress', 'tar-stream'])
      expect(packages).not.toContain(name)
  })

  test('loads two small files to tell its version, and no module of Node.js', () => {
    const files = [...loadedWith(['main.js'])]
    expect(files).toEqual(['main.js', expect.stringMatching(/^version-/)])
    for (const file of files) expect(textOf(file)).not.toMatch(/from "node:/)
    expect(files.reduce((sum, file) => sum + textOf(file).length, 0)).toBeLessThan(2000)
  })

  test('loads for help its own table of commands, and no package', () => {
    const files = loadedWith([programChunk()])
    expect([...packagesIn(files)]).toEqual([])
    expect(files.size).toBeLessThan(10)
  })

  test('comes with the licences of all packages in it', () => {
    const notices = textOf('THIRD-PARTY-NOTICES.txt')
    const packages = packagesIn(readdirSync(directory).filter((name) => name.endsWith('.js')))
    expect([...packages]).toEqual(expect.arrayContaining(['@oclif/core', 'undici', 'yaml']))
    for (const name of packages) expect(notices).toContain(`\n${name} `)
  })

  test('finds the native decoders that the packages find', async () => {
    const {xz, zstd} = await decoders()
    await withTempDir(async (scratch) => {
      await using registry = await startRegistry()
      const image = await makeImage({seed: 'decoders'})
      const source = await writeOciBundle(scratch, [named('docker.io/team/app:v1', image)])
      const {stderr} = await push({source, registry, flags: ['--verbose']})
      expect(stderr).toContain(`decoders: xz by ${xz}, zstd by ${zstd}`)
    })
  })
})
