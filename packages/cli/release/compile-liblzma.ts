import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync} from 'node:fs'
import {mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

/** The packages whose sources are compiled, by their directories. */
export interface LiblzmaSources {
  readonly binding: string
  readonly addonApi: string
  readonly nodeApi: string
  /** lzma-native, which carries the sources of liblzma. */
  readonly liblzma: string
}

/** The machine that the result is for, as compilers name it. */
const MACHINES = {x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu'} as const
export const LIBLZMA_VERSION = '5.2.3'
const ARCHIVE = `deps/xz-${LIBLZMA_VERSION}.tar.bz2`
/** A compiler's warnings are many; an error shows them. */
const OUTPUT_LIMIT = 1 << 26
const CFLAGS = '-O3 -ffile-prefix-map=.=liblzma'

/** The encoders and decoders alone. Without threads, which the program has of its own, glibc 2.17 is enough. */
const CONFIGURE = [
  '--quiet',
  '--with-pic',
  ...['shared', 'threads', 'xz', 'xzdec', 'lzmadec', 'lzmainfo', 'lzma-links', 'scripts', 'doc', 'nls'].map(
    (part) => `--disable-${part}`,
  ),
]

/** The only part of Node's C++ interface that the binding uses; the headers of Node-API do not have it. */
const NODE_BUFFER = `#include <cstddef>
namespace node::Buffer {
inline bool IsWithinBounds(std::size_t offset, std::size_t length, std::size_t size) {
  return offset <= size && length <= size - offset;
}
}
`

/**
 * Compiles node-liblzma's binding and liblzma for Linux, and keeps the result in `cache`. The same sources and compiler
 * give the same bytes.
 * @returns undefined if no compiler for the architecture is installed
 */
export async function compiledLiblzma(
  architecture: keyof typeof MACHINES,
  sources: LiblzmaSources,
  cache: string,
): Promise<Uint8Array | undefined> {
  const machine = MACHINES[architecture]
  const compiler = compilerVersion(machine)
  if (compiler === undefined) return undefined
  const key = createHash('sha256').update(JSON.stringify([compiler, CFLAGS, CONFIGURE, NODE_BUFFER]))
  for (const file of [join(sources.liblzma, ARCHIVE), ...(await bindingFiles(sources))])
    key.update(await readFile(file))
  const built = join(cache, `node-liblzma-${architecture}-${key.digest('hex').slice(0, 16)}.node`)
  if (!existsSync(built)) {
    await mkdir(cache, {recursive: true})
    const directory = await mkdtemp(join(tmpdir(), 'mirror-liblzma-'))
    try {
      const made = join(cache, `${process.pid}.tmp`)
      await compile(sources, {machine, directory, output: made})
      await rename(made, built)
    } finally {
      await rm(directory, {recursive: true, force: true})
    }
  }
  return readFile(built)
}

function compilerVersion(machine: string): string | undefined {
  try {
    return execFileSync(`${machine}-g++`, ['--version'], {encoding: 'utf8'})
  } catch {
    return undefined
  }
}

async function bindingFiles({binding}: LiblzmaSources): Promise<readonly string[]> {
  const directory = join(binding, 'src/bindings')
  return (await readdir(directory)).toSorted().map((name) => join(directory, name))
}

async function compile(
  sources: LiblzmaSources,
  {
    machine,
    directory,
    output,
  }: {readonly machine: string; readonly directory: string; readonly output: string},
): Promise<void> {
  const run = (command: string, args: readonly string[], cwd = directory): void => {
    execFileSync(command, args, {cwd, stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: OUTPUT_LIMIT})
  }
  run('tar', ['-xjf', join(sources.liblzma, ARCHIVE), '--strip-components=1'])
  run('./configure', [`--host=${machine}`, ...CONFIGURE, `CFLAGS=${CFLAGS}`])
  run('make', ['--silent', '--directory=src/liblzma'])
  await writeFile(join(directory, 'node_buffer.h'), NODE_BUFFER)
  const includes = ['.', 'src/liblzma/api', join(sources.nodeApi, 'include'), sources.addonApi]
  const cpp = (await bindingFiles(sources)).filter((file) => file.endsWith('.cpp'))
  run(`${machine}-g++`, [
    '-shared',
    '-fPIC',
    '-std=c++20',
    ...CFLAGS.split(' '),
    '-fvisibility=hidden',
    '-ffunction-sections',
    '-fdata-sections',
    '-DNAPI_DISABLE_CPP_EXCEPTIONS',
    '-DBUILDING_NODE_EXTENSION',
    '-DNODE_GYP_MODULE_NAME=node_lzma',
    '-DNAPI_VERSION=8',
    ...includes.map((path) => `-I${path}`),
    ...cpp,
    'src/liblzma/.libs/liblzma.a',
    '-pthread',
    '-Wl,--gc-sections',
    '-Wl,-s',
    '-o',
    output,
  ])
}
