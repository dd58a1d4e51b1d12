/** Compiles the kernels into modules of the sources; with `--check` only says whether those are what they should be. */
import {readFile, writeFile} from 'node:fs/promises'
import {main} from 'assemblyscript/asc'

/** Pages are of 64 KiB: what a kernel lays out, and never more unless it grows. */
const kernels = [
  {source: 'assembly/deflate-kernel.ts', target: 'src/compress/deflate/kernel-code.ts', pages: 40},
  {source: 'assembly/xxh64-kernel.ts', target: 'src/compress/zstd/kernel-code.ts', pages: 33},
  {source: 'assembly/lzma-kernel.ts', target: 'src/codecs/xz/portable/kernel-code.ts', pages: 2, grows: true},
]
const base = new URL('..', import.meta.url)
const flags = ['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--use', 'abort=']

async function compile({source, pages, grows = false}) {
  const messages = []
  let code
  const memory = ['--initialMemory', String(pages)]
  if (!grows) memory.push('--maximumMemory', String(pages))
  const {error} = await main([source, '--outFile', 'kernel.wasm', ...flags, ...memory], {
    readFile: (name) => readFile(new URL(name, base), 'utf8').catch(() => null),
    writeFile: (_name, contents) => void (code = contents),
    listFiles: () => [],
    stderr: {write: (text) => messages.push(text)},
  })
  if (error !== null) throw new Error(`${source} does not compile: ${messages.join('')}`, {cause: error})
  return `/** Compiled from ${source} by \`npm run kernel\`, which a test repeats. */
export const kernelCode =
  '${Buffer.from(code).toString('base64')}'
`
}

for (const kernel of kernels) {
  const {source, target} = kernel
  const text = await compile(kernel)
  if (!process.argv.includes('--check')) await writeFile(new URL(target, base), text)
  else if ((await readFile(new URL(target, base), 'utf8')) !== text) {
    throw new Error(`${target} is not what ${source} compiles to: npm run kernel`)
  }
}
