import {createHash} from 'node:crypto'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'
import {describe, expect, test} from 'vitest'
import {withTempDir} from '@airgap-mirror/test/kit'

const root = fileURLToPath(new URL('../', import.meta.url))
const {parsePackageManager, checkPackage} = (await import(pathToFileURL(join(root, 'pnpm.mjs')).href)) as {
  parsePackageManager: (text: string) => {version: string; hash: string}
  checkPackage: (file: string, hash: string) => void
}

async function manifest(): Promise<{packageManager: string; scripts: Record<string, string>}> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as never
}

test('package.json pins pnpm by its content', async () => {
  const {packageManager} = await manifest()
  expect(parsePackageManager(packageManager).hash).toHaveLength(128)
})

test('no script fetches a program by its version alone', async () => {
  const {scripts} = await manifest()
  const fetching = Object.values(scripts).filter((script) => /\b(?:npx|pnpx|corepack|dlx)\b/.test(script))
  expect(fetching).toEqual([])
})

test('no dependency may run a script when it is installed', async () => {
  const settings = await readFile(join(root, 'pnpm-workspace.yaml'), 'utf8')
  expect(settings).toContain('onlyBuiltDependencies: []\n')
})

test.each(['pnpm@10.34.9', 'pnpm@10.34.9+sha256.00', `pnpm@latest+sha512.${'0'.repeat(128)}`, 'npm@11.0.0'])(
  '%s pins nothing',
  (text) => {
    expect(() => parsePackageManager(text)).toThrow('no version of pnpm with its sha512')
  },
)

describe('the package that was fetched', () => {
  test('is taken if it has the hash, and refused if a byte of it differs', () =>
    withTempDir(async (directory) => {
      const file = join(directory, 'pnpm.tgz')
      const hash = createHash('sha512').update('the package').digest('hex')
      await writeFile(file, 'the package')
      expect(() => checkPackage(file, hash)).not.toThrow()
      await writeFile(file, 'the package!')
      expect(() => checkPackage(file, hash)).toThrow('is not the pnpm that package.json names')
    }))
})
