import {existsSync, realpathSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {createRequire} from 'node:module'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {liblzmaForArm64} from './liblzma-arm64.js'
import {copiesBelow, copyOf, fileOf, type Entry} from './tree.js'

/** An architecture in Node's words. */
export type Architecture = 'x64' | 'arm64'

/** A package that is inside, as the SBOM lists it. */
export interface Component {
  readonly name: string
  readonly version: string
  readonly license: string
}

/** `packages/cli`, from `dist/release`. */
export const CLI = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const ROOT = join(CLI, '../..')

/** Starts the program with the runtime beside it. Uses the shell alone, unless it was called through a link. */
const LAUNCHER = `#!/bin/sh
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=\${self%/*}/$link ;;
  esac
done
case $self in
  */*) root=\${self%/*}/.. ;;
  *) root=.. ;;
esac
exec "$root/lib/node/bin/node" "$root/lib/mirror/bin/run.js" "$@"
`

/** The files of the program for one architecture, and the packages that are in them. */
export interface Program {
  readonly version: string
  readonly entries: readonly Entry[]
  readonly components: readonly Component[]
}

/**
 * Collects what the packaged program consists of. Paths are relative to its directory.
 * @throws if the build or the runtime is missing
 */
export async function programFor(architecture: Architecture): Promise<Program> {
  const manifest = JSON.parse(await readFile(join(CLI, 'package.json'), 'utf8')) as Record<string, unknown>
  const runtime = join(CLI, 'release/runtime/node_modules', `node-linux-${architecture}`)
  if (!existsSync(runtime))
    throw new Error(`no Node.js for ${architecture}: run "npm run package", which installs it`)
  const natives = await nativeParts(architecture)
  const bundled = JSON.parse(await readFile(join(CLI, 'dist/bundle/packages.json'), 'utf8')) as Component[]
  return {
    version: String(manifest['version']),
    entries: [
      fileOf('bin/mirror', LAUNCHER, 0o755),
      await copyOf(join(runtime, 'bin/node'), 'lib/node/bin/node'),
      await copyOf(join(runtime, 'LICENSE'), 'lib/node/LICENSE'),
      fileOf('lib/mirror/package.json', `${JSON.stringify(ownManifest(manifest), undefined, 2)}\n`),
      ...(await copiesBelow(join(CLI, 'bin'), 'lib/mirror/bin', () => true)),
      ...(await copiesBelow(join(CLI, 'dist/bundle'), 'lib/mirror/dist/bundle', isProgram)),
      ...natives.entries,
      await copyOf(
        join(CLI, 'dist/bundle/THIRD-PARTY-NOTICES.txt'),
        'share/doc/mirror/THIRD-PARTY-NOTICES.txt',
      ),
      ...(await documents()),
      ...(await manualsAndCompletions()),
    ],
    components: [...bundled, ...natives.components, await nodeOf(runtime)],
  }
}

/** Source maps are left out: they are as large as the program. */
function isProgram(file: string): boolean {
  return file.endsWith('.js') || file.endsWith('.wasm')
}

/** Says that the files are modules. */
function ownManifest({name, version, description, license, type}: Record<string, unknown>): object {
  return {name, version, description, license, type}
}

async function documents(): Promise<readonly Entry[]> {
  const at = 'share/doc/mirror'
  const site = join(ROOT, 'site/dist')
  if (!existsSync(site)) throw new Error('the pages are not built: run "npm run package", which does it')
  const pages = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'NOTICE']
  return [
    ...(await Promise.all(pages.map((page) => copyOf(join(ROOT, page), `${at}/${page}`)))),
    ...(await copiesBelow(join(ROOT, 'docs'), `${at}/docs`, () => true)),
    ...(await copiesBelow(join(ROOT, 'deploy'), `${at}/deploy`, () => true)),
    ...(await copiesBelow(site, `${at}/site`, () => true)),
    await copyOf(join(ROOT, 'site/node_modules/vitepress/LICENSE'), `${at}/site/LICENSE-vitepress`),
  ]
}

/** The files for shells and `man` below a prefix, so that `/usr` or `/usr/local` may be that. */
async function manualsAndCompletions(): Promise<readonly Entry[]> {
  const completions = join(CLI, 'dist/completions')
  return [
    ...(await copiesBelow(join(CLI, 'dist/man'), 'share/man/man1', () => true)),
    await copyOf(join(completions, 'mirror.bash'), 'share/bash-completion/completions/mirror'),
    await copyOf(join(completions, 'mirror.fish'), 'share/fish/vendor_completions.d/mirror.fish'),
    await copyOf(join(completions, 'mirror.zsh'), 'share/zsh/vendor-completions/_mirror'),
  ]
}

/**
 * Returns the parts with native code, which stay files of their own: node-liblzma and the package that finds its binary.
 * None for an architecture that it has no binary for.
 */
async function nativeParts(architecture: Architecture): Promise<Pick<Program, 'entries' | 'components'>> {
  const cli = join(CLI, 'package.json')
  const directory = packageDirectory('node-liblzma', cli)
  const binary = await binaryFor(architecture, directory)
  if (binary === undefined) return {entries: [], components: []}
  const own = join(directory, 'package.json')
  const loader = packageDirectory('node-gyp-build', own)
  const sources = [packageDirectory('node-addon-api', own), packageDirectory('lzma-native', cli)]
  const at = 'lib/mirror/node_modules'
  return {
    entries: [
      ...(await copiesBelow(directory, `${at}/node-liblzma`, isUsed)),
      ...(await copiesBelow(loader, `${at}/node-gyp-build`, isUsed)),
      fileOf(`${at}/node-liblzma/prebuilds/linux-${architecture}/node-liblzma.node`, binary),
    ],
    components: await Promise.all(
      [directory, loader, ...(architecture === 'arm64' ? sources : [])].map(componentOf),
    ),
  }
}

function isUsed(file: string): boolean {
  return /^(?:package\.json|LICENSE|NOTICE|xz-version\.json|[^/]+\.js|(?:lib|dist)\/.*\.(?:js|wasm))$/.test(
    file,
  )
}

async function binaryFor(architecture: Architecture, directory: string): Promise<Uint8Array | undefined> {
  if (architecture !== 'arm64')
    return readFile(join(directory, `prebuilds/linux-${architecture}/node-liblzma.node`))
  const cli = join(CLI, 'package.json')
  const built = await liblzmaForArm64(
    {
      binding: directory,
      addonApi: packageDirectory('node-addon-api', join(directory, 'package.json')),
      nodeApi: packageDirectory('node-api-headers', cli),
      liblzma: packageDirectory('lzma-native', cli),
    },
    join(CLI, 'dist/native'),
  )
  if (built === undefined)
    process.stderr.write(
      'arm64 cannot write .tar.xz: install g++-aarch64-linux-gnu and make for its liblzma\n',
    )
  return built
}

/** @throws if the package is not installed */
function packageDirectory(name: string, dependant: string): string {
  const paths = createRequire(realpathSync(dependant)).resolve.paths(name) ?? []
  const found = paths.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')))
  if (found === undefined) throw new Error(`the package ${name} is not installed: run "npm run setup"`)
  return found
}

async function componentOf(directory: string): Promise<Component> {
  const {name, version, license} = JSON.parse(
    await readFile(join(directory, 'package.json'), 'utf8'),
  ) as Component
  return {name, version, license}
}

async function nodeOf(runtime: string): Promise<Component> {
  return {...(await componentOf(runtime)), license: 'MIT'}
}
