import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {compiledLiblzma, LIBLZMA_VERSION} from './compile-liblzma.js'
import {componentOf, packageDirectory, type Component} from './components.js'
import {CLI, type Architecture} from './places.js'
import {copiesBelow, fileOf, type Entry} from './tree.js'

/** The directory of node-liblzma with the second binary. */
export const COMPILED = 'node-liblzma-compiled'

/** liblzma is in the public domain. Versions from 5.6 on are under a licence that asks for nothing either. */
const XZ = {origin: 'generic', license: '0BSD'} as const

export interface NativeParts {
  readonly entries: readonly Entry[]
  readonly components: readonly Component[]
}

/**
 * Returns the parts with native code, which stay files of their own: node-liblzma and the package that finds its binary.
 * Its own binary is the fastest, but there is only one for x64, which needs glibc 2.34. A compiled one stands behind it.
 */
export async function nativeParts(architecture: Architecture): Promise<NativeParts> {
  const cli = join(CLI, 'package.json')
  const directory = packageDirectory('node-liblzma', cli)
  const own = join(directory, 'package.json')
  const loader = packageDirectory('node-gyp-build', own)
  const addonApi = packageDirectory('node-addon-api', own)
  const liblzma = packageDirectory('lzma-native', cli)
  const nodeApi = packageDirectory('node-api-headers', cli)
  const compiled = await compiledLiblzma(
    architecture,
    {binding: directory, addonApi, nodeApi, liblzma},
    join(CLI, 'dist/native'),
  )
  if (compiled === undefined) process.stderr.write(`${WITHOUT_COMPILER[architecture]}\n`)
  const shipped =
    architecture === 'x64'
      ? await readFile(join(directory, 'prebuilds/linux-x64/node-liblzma.node'))
      : undefined
  const binaries = [shipped, compiled].filter((binary) => binary !== undefined)
  if (binaries.length === 0) return {entries: [], components: []}
  const at = 'lib/mirror/node_modules'
  const bindings = binaries.map((binary, index) => {
    const directoryOf = `${at}/${index === 0 ? 'node-liblzma' : COMPILED}`
    const file = fileOf(`${directoryOf}/prebuilds/linux-${architecture}/node-liblzma.node`, binary)
    return copiesBelow(directory, directoryOf, isUsed).then((scripts) => scripts.concat(file))
  })
  return {
    entries: [
      ...(await Promise.all(bindings)).flat(),
      ...(await copiesBelow(loader, `${at}/node-gyp-build`, isUsed)),
    ],
    components: [
      ...(await Promise.all(
        [directory, loader, ...(compiled === undefined ? [] : [addonApi, liblzma])].map(componentOf),
      )),
      ...(shipped === undefined ? [] : [{name: 'xz', version: await shippedVersion(directory), ...XZ}]),
      ...(compiled === undefined ? [] : [{name: 'xz', version: LIBLZMA_VERSION, ...XZ}]),
    ],
  }
}

const WITHOUT_COMPILER = {
  x64: 'x64 is slow with .tar.xz before glibc 2.34: install g++ and make for its liblzma',
  arm64: 'arm64 cannot write .tar.xz: install g++-aarch64-linux-gnu and make for its liblzma',
} as const

/** Leaves out what only browsers use. */
function isUsed(file: string): boolean {
  return /^(?:package\.json|LICENSE|NOTICE|xz-version\.json|[^/]+\.js|lib\/(?!lzma\.)[^/]+\.js|lib\/lzma\.js)$/.test(
    file,
  )
}

/** Returns the version of the liblzma in node-liblzma's own binary. */
async function shippedVersion(directory: string): Promise<string> {
  const told = JSON.parse(await readFile(join(directory, 'xz-version.json'), 'utf8')) as {version: string}
  return told.version.replace(/^v/, '')
}
