import {execFileSync} from 'node:child_process'
import {existsSync, realpathSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {createRequire} from 'node:module'
import {join} from 'node:path'

/** A part that is inside, as the SBOM lists it. */
export interface Component {
  readonly name: string
  readonly version: string
  /** Absent: the licence of the part that contains it tells. */
  readonly license?: string
  /** Absent: a package of npm. */
  readonly origin?: 'npm' | 'generic'
}

/** @throws if the package is not installed */
export function packageDirectory(name: string, dependant: string): string {
  const paths = createRequire(realpathSync(dependant)).resolve.paths(name) ?? []
  const found = paths.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')))
  if (found === undefined) throw new Error(`the package ${name} is not installed: run "npm run setup"`)
  return found
}

export async function componentOf(directory: string): Promise<Component> {
  const {name, version, license} = JSON.parse(
    await readFile(join(directory, 'package.json'), 'utf8'),
  ) as Component
  return {name, version, license}
}

/** Members of Node's `process.versions` that are no library: interfaces, and editions of data. */
const NO_LIBRARIES = new Set(['node', 'modules', 'napi', 'unicode', 'cldr', 'tz'])

/**
 * Returns Node.js and the libraries that are compiled into it.
 * @param directory the runtime that is packaged
 * @param ofThisMachine a runtime of the same version that runs here, and is asked
 * @throws if the versions differ
 */
export async function nodeComponents(
  directory: string,
  ofThisMachine: string,
): Promise<readonly Component[]> {
  const node = {...(await componentOf(directory)), license: 'MIT'}
  const told = execFileSync(join(ofThisMachine, 'bin/node'), ['-p', 'JSON.stringify(process.versions)'])
  const versions = JSON.parse(told.toString()) as Record<string, string>
  if (versions['node'] !== node.version)
    throw new Error(
      `Node.js ${node.version} is packaged, and the one that can run here is ${versions['node']}`,
    )
  const libraries = Object.entries(versions).filter(
    ([name, version]) => version !== '' && !NO_LIBRARIES.has(name),
  )
  return [node, ...libraries.map(([name, version]) => ({name, version, origin: 'generic'}) as const)]
}
