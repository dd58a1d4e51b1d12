/** Compiles the kernel into a module of the sources; with `--check` only says whether that module is what it should be. */
import {readFile, writeFile} from 'node:fs/promises'
import {main} from 'assemblyscript/asc'

const source = 'assembly/deflate-kernel.ts'
const target = 'src/compress/deflate/kernel-code.ts'
const base = new URL('..', import.meta.url)

const flags = ['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--use', 'abort=']
// 40 pages of 64 KiB: what the kernel lays out, and never more.
const memory = ['--initialMemory', '40', '--maximumMemory', '40']
const messages = []
let code
const {error} = await main([source, '--outFile', 'kernel.wasm', ...flags, ...memory], {
  readFile: (name) => readFile(new URL(name, base), 'utf8').catch(() => null),
  writeFile: (_name, contents) => void (code = contents),
  listFiles: () => [],
  stderr: {write: (text) => messages.push(text)},
})
if (error !== null) throw new Error(`${source} does not compile: ${messages.join('')}`, {cause: error})

const text = `/** Compiled from ${source} by \`npm run kernel\`, which a test repeats. */
export const kernelCode =
  '${Buffer.from(code).toString('base64')}'
`
if (!process.argv.includes('--check')) await writeFile(new URL(target, base), text)
else if ((await readFile(new URL(target, base), 'utf8')) !== text) {
  throw new Error(`${target} is not what ${source} compiles to: npm run kernel`)
}
