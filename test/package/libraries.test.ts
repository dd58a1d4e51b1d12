import {copyFile, mkdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {checkPackage, createPackageFromTarballData} from '@arethetypeswrong/core'
import {makeTempDir, runChild, withTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {publint} from 'publint'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'

const root = resolve(fileURLToPath(new URL('../../', import.meta.url)))
const LIBRARIES = ['oci-client', 'bundle'] as const

let packed: TempDir
beforeAll(async () => {
  packed = await makeTempDir()
  await Promise.all([...LIBRARIES, 'cli'].map(pack))
})
afterAll(() => packed[Symbol.asyncDispose]())

async function succeed(args: readonly string[], cwd: string): Promise<string> {
  const {code, stdout, stderr} = await runChild(process.execPath, args, {
    cwd,
    env: {PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/'},
  })
  expect({args, code, stdout, stderr}).toMatchObject({code: 0})
  return stdout
}

async function pack(name: string): Promise<void> {
  const pnpm = [join(root, 'pnpm.mjs'), 'pack', '--out', join(packed.path, `${name}.tgz`)]
  await succeed(pnpm, join(root, 'packages', name))
}

async function tarball(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(join(packed.path, `${name}.tgz`)))
}

describe.each([...LIBRARIES, 'cli'])('the packed package %s', (name) => {
  test('has no fault that publint knows', async () => {
    const {buffer} = await tarball(name)
    const {messages} = await publint({pack: {tarball: buffer}, strict: true})
    expect(messages).toEqual([])
  })

  test('has types that fit its modules, for every resolution of ES modules', async () => {
    const found = await checkPackage(createPackageFromTarballData(await tarball(name)))
    if (found.types === false) throw new Error('the package has no types')
    // It has ES modules alone: require() of them works since Node.js 20.19, and needs no types of its own.
    const others = new Set(['node10', 'node16-cjs'])
    const isOurs = (problem: (typeof found.problems)[number]): boolean =>
      !('resolutionKind' in problem) || !others.has(problem.resolutionKind)
    expect(found.problems.filter(isOurs)).toEqual([])
  })

  test('holds the licence, the notice and what runs, and neither sources nor traces of the build', async () => {
    const files = createPackageFromTarballData(await tarball(name))
    const listed = files.listFiles().map((path) => path.slice(path.indexOf(name) + name.length + 1))
    expect(listed).toEqual(expect.arrayContaining(['LICENSE', 'NOTICE', 'package.json', 'dist/index.js']))
    expect(listed.filter((path) => /\.map$|tsbuildinfo|(?<!\.d)\.ts$|release\//.test(path))).toEqual([])
    const notice = await readFile(join(root, 'NOTICE'), 'utf8')
    expect(await readFile(join(root, 'packages', name, 'NOTICE'), 'utf8')).toBe(notice)
  })
})

/** Returns the exports of a library's entry, with the source file of each. */
async function exportsOf(name: string): Promise<readonly {readonly name: string; readonly source: string}[]> {
  const source = join(root, 'packages', name, 'src')
  const entry = await readFile(join(source, 'index.ts'), 'utf8')
  const statements = [...entry.matchAll(/export (?:type )?\{([^}]*)\} from '\.\/([^']*)\.js'/g)]
  return statements.flatMap(([, names = '', path = '']) =>
    names
      .split(',')
      .map((each) => each.trim().replace(/^type /, ''))
      .filter((each) => each !== '')
      .map((each) => ({name: each, source: join(source, `${path}.ts`)})),
  )
}

describe.each(LIBRARIES)('the API of %s', (library) => {
  test('has a comment with the contract of each export', async () => {
    const exported = await exportsOf(library)
    expect(exported.length).toBeGreaterThan(10)
    for (const {name, source} of exported) {
      const declared = new RegExp(
        `\\*/\\nexport (?:async )?(?:type|interface|function\\*?|class|const) ${name}\\b`,
      )
      expect(await readFile(source, 'utf8')).toMatch(declared)
    }
  })

  test('is named in full by the README, which shows the example that a test runs', async () => {
    const readme = await readFile(join(root, 'packages', library, 'README.md'), 'utf8')
    const unnamed = (await exportsOf(library)).filter(({name}) => !new RegExp(`\\b${name}\\b`).test(readme))
    expect(unnamed).toEqual([])
    const [, path = ''] = /\]\((examples\/[\w-]+\.ts)\)/.exec(readme) ?? []
    const example = await readFile(join(root, 'packages', library, path), 'utf8')
    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
  })
})

test('the examples compile against the packed types, which are checked as strictly', async () => {
  await withTempDir(async (directory) => {
    const modules = join(directory, 'node_modules')
    for (const name of LIBRARIES) {
      const own = join(modules, '@airgap-mirror', name)
      await mkdir(own, {recursive: true})
      const {code} = await runChild('tar', [
        '-xzf',
        join(packed.path, `${name}.tgz`),
        '-C',
        own,
        '--strip-components=1',
      ])
      expect(code).toBe(0)
    }
    await symlink(join(root, 'node_modules/@types'), join(modules, '@types'))
    const examples = {'oci-client': 'copy-image.ts', bundle: 'push-bundle.ts'}
    for (const name of LIBRARIES) {
      const example = examples[name]
      await copyFile(join(root, 'packages', name, 'examples', example), join(directory, example))
    }
    const options = {
      compilerOptions: {
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable'],
        module: 'nodenext',
        types: ['node'],
        strict: true,
        skipLibCheck: false,
        noEmit: true,
      },
      files: Object.values(examples),
    }
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(options))
    await writeFile(join(directory, 'package.json'), '{"type":"module"}')
    await succeed([join(root, 'node_modules/typescript/bin/tsc'), '--project', directory], directory)
  })
})
