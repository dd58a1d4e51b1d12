import {readdirSync, statSync} from 'node:fs'
import {join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {build} from 'rolldown'
import config from './packages/cli/rolldown.config.js'

const root = fileURLToPath(new URL('.', import.meta.url))
const packages = join(root, 'packages')

/** Compiled folders, and the sources they are made from. Other tests run from their sources. */
const COMPILED: readonly (readonly [dist: string, sources: readonly string[]])[] = [
  ...readdirSync(packages).map(
    (name) => [join(packages, name, 'dist'), [join(packages, name, 'src')]] as const,
  ),
  [join(root, 'test', 'dist'), ['kit', 'registry', 'nodes'].map((name) => join(root, 'test', name))],
]

/**
 * Tests run the build, as users do. Refuses to run them if a source is newer than the build, and bundles the program again
 * if the compiler has built since.
 */
export async function setup(): Promise<void> {
  const stale = COMPILED.flatMap(([dist, sources]) => newerSources(dist, sources))
  if (stale.length > 0) {
    const shown = stale.slice(0, 5).map((path) => relative(root, path))
    throw new Error(
      `tests would run an old build: run "npm run build" first, since it lacks ${shown.join(', ')}`,
    )
  }
  const made = statSync(join(packages, 'cli/dist/bundle/main.js'), {throwIfNoEntry: false})
  if (made !== undefined && made.mtimeMs > newestBuilt()) return
  await build(config)
}

/** The sources that changed since the compiler last looked at all of them. */
function newerSources(dist: string, sources: readonly string[]): readonly string[] {
  const built = statSync(join(dist, '.tsbuildinfo'), {throwIfNoEntry: false})?.mtimeMs ?? 0
  return sources
    .flatMap((folder) => readdirSync(folder, {recursive: true, withFileTypes: true}))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).mtimeMs > built)
}

function newestBuilt(): number {
  return Math.max(
    ...readdirSync(packages)
      .flatMap((name) => readdirSync(join(packages, name, 'dist'), {recursive: true, withFileTypes: true}))
      .filter(({name, parentPath}) => name.endsWith('.js') && !/[\\/]dist[\\/]bundle/.test(parentPath))
      .map(({name, parentPath}) => statSync(join(parentPath, name)).mtimeMs),
  )
}
