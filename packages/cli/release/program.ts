import {existsSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {componentOf, nodeComponents, type Component} from './components.js'
import {LAUNCHER} from './launcher.js'
import {COMPILED, nativeParts} from './natives.js'
import {CLI, ROOT, VITEPRESS, type Architecture} from './places.js'
import {copiesBelow, copyOf, fileOf, type Entry} from './tree.js'

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
  const runtime = runtimeOf(architecture)
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
      ...(await chunks()),
      ...natives.entries,
      await copyOf(
        join(CLI, 'dist/bundle/THIRD-PARTY-NOTICES.txt'),
        'share/doc/mirror/THIRD-PARTY-NOTICES.txt',
      ),
      ...(await documents()),
      ...(await manualsAndCompletions()),
    ],
    components: [
      ...bundled,
      ...natives.components,
      ...(await nodeComponents(runtime, runtimeOf(process.arch))),
      await componentOf(VITEPRESS),
    ],
  }
}

function runtimeOf(architecture: string): string {
  return join(CLI, 'release/runtime/node_modules', `node-linux-${architecture}`)
}

/** Returns the files of the last build, without what earlier builds left and source maps, which are as large as the program. */
async function chunks(): Promise<readonly Entry[]> {
  const directory = join(CLI, 'dist/bundle')
  const built = new Set(JSON.parse(await readFile(join(directory, 'files.json'), 'utf8')) as string[])
  return copiesBelow(
    directory,
    'lib/mirror/dist/bundle',
    (file) => built.has(file) && /\.(?:js|wasm)$/.test(file),
  )
}

/** Says that the files are modules, and where the second binary for xz is: see `import-node-liblzma.ts`. */
function ownManifest({name, version, description, license, type}: Record<string, unknown>): object {
  const imports = {[`#${COMPILED}`]: COMPILED}
  return {name, version, description, license, type, imports}
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
    await copyOf(join(VITEPRESS, 'LICENSE'), `${at}/site/LICENSE-vitepress`),
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
