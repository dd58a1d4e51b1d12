/**
 * Runs the pnpm of `packageManager` in package.json, with the arguments given. Its package is fetched by npm and is used
 * only if it has the hash there: a version alone says nothing about the content. Needs Node.js and npm, nothing else.
 */
import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))

/** @returns {{version: string, hash: string}} @throws if `packageManager` has no hash of SHA-512 */
export function parsePackageManager(text) {
  const [, version, hash] = /^pnpm@(\d+\.\d+\.\d+)\+sha512\.([0-9a-f]{128})$/.exec(text) ?? []
  if (version === undefined || hash === undefined)
    throw new Error(`packageManager in package.json is no version of pnpm with its sha512: ${text}`)
  return {version, hash}
}

/** @throws if the file of a package does not have the hash */
export function checkPackage(file, hash) {
  const found = createHash('sha512').update(readFileSync(file)).digest('hex')
  if (found !== hash)
    throw new Error(`${file} is not the pnpm that package.json names: its sha512 is ${found}, not ${hash}`)
}

function npm(args, options) {
  const cli = process.env.npm_execpath
  // The environment of an npm script has settings of the outer npm, which another directory must not inherit.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('npm_package_')),
  )
  const {status, error} = cli?.endsWith('npm-cli.js')
    ? spawnSync(process.execPath, [cli, ...args], {...options, env})
    : spawnSync('npm', args, {...options, env, shell: process.platform === 'win32'})
  if (status !== 0) throw new Error(`npm ${args[0]} failed`, {cause: error})
}

/** Returns the program of the pinned pnpm; it is fetched and checked if it is not there yet. */
function pinnedPnpm() {
  const {packageManager} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const {version, hash} = parsePackageManager(packageManager)
  const cache = join(root, 'node_modules', '.package-manager')
  const directory = join(cache, hash.slice(0, 32))
  const program = join(directory, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')
  if (existsSync(program)) return program
  mkdirSync(cache, {recursive: true})
  const fresh = mkdtempSync(join(cache, 'new-'))
  try {
    const quiet = {cwd: fresh, stdio: ['ignore', 'ignore', 'inherit']}
    npm(['pack', '--silent', '--ignore-scripts', `pnpm@${version}`], quiet)
    const file = join(fresh, `pnpm-${version}.tgz`)
    checkPackage(file, hash)
    npm(
      ['install', '--silent', '--ignore-scripts', '--no-save', '--no-audit', '--prefix', fresh, file],
      quiet,
    )
    rmSync(directory, {recursive: true, force: true})
    renameSync(fresh, directory)
  } finally {
    rmSync(fresh, {recursive: true, force: true})
  }
  return program
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const {status} = spawnSync(process.execPath, [pinnedPnpm(), ...process.argv.slice(2)], {stdio: 'inherit'})
  process.exitCode = status ?? 1
}
