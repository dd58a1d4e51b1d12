import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join, relative, resolve, sep} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string
  readonly lines: number
  /** Package names and, for relative imports, paths of source files. */
  readonly imports: readonly string[]
}

function sourcesBelow(directory: string): readonly SourceFile[] {
  return readdirSync(join(root, directory), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && /\.(?:ts|js|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[\\/](?:node_modules|dist)[\\/]/.test(path))
    .map(readSource)
}

function readSource(path: string): SourceFile {
  const text = readFileSync(path, 'utf8')
  const specifiers = [...text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*'([^']+)'/gm)].map(
    ([, specifier = '']) => specifier,
  )
  const named = (specifier: string): string =>
    specifier.startsWith('.')
      ? relative(root, resolve(dirname(path), specifier))
          .split(sep)
          .join('/')
          .replace(/\.js$/, '.ts')
      : specifier
  return {
    path: relative(root, path).split(sep).join('/'),
    lines: text.split('\n').length - 1,
    imports: specifiers.map(named),
  }
}

const sources = ['packages', 'test'].flatMap(sourcesBelow)
const sourcePaths: ReadonlySet<string> = new Set(sources.map(({path}) => path))
function inFolder(folder: string): readonly SourceFile[] {
  return sources.filter(({path}) => path.startsWith(`${folder}/`))
}

/** Imports of the files in a folder that are not among the allowed ones, as `file -> import`. */
function strayImports(
  folder: string,
  isAllowed: (specifier: string, path: string) => boolean,
): readonly string[] {
  return inFolder(folder).flatMap(({path, imports}) =>
    imports.filter((specifier) => !isAllowed(specifier, path)).map((specifier) => `${path} -> ${specifier}`),
  )
}

/** Returns the circles in a graph, each as `a -> b -> a`. */
function circlesIn(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const state = new Map<string, 'open' | 'done'>()
  const circles: string[] = []
  const visit = (node: string, trail: readonly string[]): void => {
    if (state.get(node) === 'open') circles.push([...trail.slice(trail.indexOf(node)), node].join(' -> '))
    if (state.has(node)) return
    state.set(node, 'open')
    for (const next of graph.get(node) ?? []) if (graph.has(next)) visit(next, [...trail, node])
    state.set(node, 'done')
  }
  for (const node of graph.keys()) visit(node, [])
  return circles
}

function isInside(folder: string) {
  return (specifier: string) => specifier.startsWith(`${folder}/`)
}
const MODEL = '@airgap-mirror/oci-client/model'
function isUndici(specifier: string): boolean {
  return /^undici(?:\/|$)/.test(specifier)
}

it('finds the sources it speaks of', () => {
  expect(inFolder('packages/oci-client/src/model').length).toBeGreaterThan(5)
  expect(inFolder('packages/cli/src/engine').length).toBeGreaterThan(5)
  expect(inFolder('packages/bundle/src').length).toBeGreaterThan(20)
})

describe('the arrows between packages', () => {
  it('the model imports nothing but itself and Node', () => {
    const own = isInside('packages/oci-client/src/model')
    expect(
      strayImports('packages/oci-client/src/model', (name) => own(name) || name.startsWith('node:')),
    ).toEqual([])
  })

  it('the bundle package knows the model alone of the registry client', () => {
    const isForeign = (name: string): boolean => name.startsWith('@airgap-mirror/') && name !== MODEL
    expect(strayImports('packages/bundle/src', (name) => !isForeign(name) && !isUndici(name))).toEqual([])
  })

  it('the registry client knows neither bundles nor the command line', () => {
    expect(strayImports('packages/oci-client/src', (name) => !name.startsWith('@airgap-mirror/'))).toEqual([])
  })

  it('the engine imports the model, and of the program only names and the shape of its report', () => {
    const allowed = (name: string): boolean =>
      name === MODEL || name === 'p-limit' || /^packages\/cli\/src\/(?:engine|names|report)\//.test(name)
    expect(strayImports('packages/cli/src/engine', allowed)).toEqual([])
  })

  it('concrete sources and sinks are named where commands are put together, nowhere else', () => {
    const naming = sources
      .filter(({path}) => path.startsWith('packages/cli/src/'))
      .filter(({imports}) =>
        imports.some((name) => /^@airgap-mirror\/(?:bundle|oci-client)(?:\/internal)?$/.test(name)),
      )
      .map(({path}) => path.split('/')[3])
    expect(new Set(naming)).toEqual(new Set(['commands', 'run', 'settings']))
  })

  it('undici is known to one folder', () => {
    const users = sources
      .filter(({path}) => path.startsWith('packages/') && path.includes('/src/'))
      .filter(({imports}) => imports.some(isUndici))
      .map(({path}) => dirname(path))
    expect([...new Set(users)]).toEqual(['packages/oci-client/src/http'])
  })
})

/** The folders of a package's `src`, from the ground up: a file imports from its own floor and those before it. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  'packages/bundle/src': [
    'bytes',
    'volumes',
    'signature',
    'tar',
    'codecs',
    'unpack',
    'names',
    'compress',
    'files',
    'remembered',
    'contents',
    'passing',
    'formats',
    'open',
    'write',
    'internal.ts',
    'index.ts',
  ],
  'packages/oci-client/src': [
    'model',
    'http',
    'auth',
    'client',
    'registry/upload',
    'registry',
    'source',
    'internal.ts',
    'index.ts',
  ],
  'packages/cli/src': [
    'server',
    'text',
    'files',
    'names',
    'report',
    'engine',
    'state',
    'render',
    'cluster',
    'job',
    'settings',
    'help',
    'run',
    'commands',
    'program.ts',
    'main.ts',
    'index.ts',
  ],
}

describe.each(Object.entries(FLOORS))('the floors of %s', (folder, floors) => {
  /** A folder inside another may be a floor of its own. */
  function floorOf(path: string): number {
    const inside = path.slice(folder.length + 1)
    const own = floors.filter((floor) => inside === floor || inside.startsWith(`${floor}/`))
    const [longest = ''] = own.toSorted((left, right) => right.length - left.length)
    return floors.indexOf(longest)
  }

  it('are all listed', () => {
    expect(inFolder(folder).filter(({path}) => floorOf(path) < 0)).toEqual([])
  })

  it('stand in docs/ARCHITECTURE.md, from the top down', () => {
    const page = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8')
    const [, section = ''] = page.split(`\`${folder}\`\n`)
    const [table = ''] = section.split('\n#')
    const listed = [...table.matchAll(/^\| `([\w/]+)`/gm)].map(([, name = '']) => name.replace('/VERB', ''))
    expect(listed.toReversed()).toEqual(floors.filter((floor) => !floor.endsWith('.ts')))
  })

  it('are imported downwards only', () => {
    const inside = isInside(folder)
    expect(strayImports(folder, (name, path) => !inside(name) || floorOf(name) <= floorOf(path))).toEqual([])
  })
})

it('uploads are reached by two doors: one puts a blob, the other tries if it could', () => {
  const room = 'packages/oci-client/src/registry/upload/'
  const outside = sources.filter(
    ({path}) => path.startsWith('packages/oci-client/src/') && !path.startsWith(room),
  )
  const doors = outside.flatMap(({imports}) => imports.filter((name) => name.startsWith(room)))
  expect(new Set(doors)).toEqual(new Set([`${room}put-blob.ts`, `${room}probe-upload.ts`]))
})

it('commands know nothing of each other', () => {
  const commands = 'packages/cli/src/commands'
  const verbOf = (path: string): string => path.slice(commands.length + 1).split('/')[0] ?? ''
  const stray = strayImports(
    commands,
    (name, path) => !isInside(commands)(name) || verbOf(name) === verbOf(path) || verbOf(path) === 'index.ts',
  )
  expect(stray).toEqual([])
})

describe('files', () => {
  it('have at most 300 lines', () => {
    expect(sources.filter(({lines}) => lines > 300).map(({path, lines}) => `${path}: ${lines}`)).toEqual([])
  })

  it('are named after what they hold', () => {
    const vague = /(?:^|\/)(?:utils?|helpers?|common|misc|manager)(?:\.ts|\/)/
    expect(sources.filter(({path}) => vague.test(path)).map(({path}) => path)).toEqual([])
  })

  it('do not import each other in circles', () => {
    const graph = new Map(sources.map(({path, imports}) => [path, new Set(imports)] as const))
    expect(circlesIn(graph)).toEqual([])
  })

  it('of one folder and those of another do not both need each other', () => {
    const graph = new Map<string, Set<string>>()
    // A worker is a program of its own, started by its path.
    for (const {path, imports} of sources.filter(({path: name}) => !name.endsWith('-worker.ts'))) {
      const others = imports.filter((name) => sourcePaths.has(name)).map((name) => dirname(name))
      const known = graph.get(dirname(path)) ?? new Set()
      graph.set(dirname(path), new Set([...known, ...others.filter((folder) => folder !== dirname(path))]))
    }
    expect(circlesIn(graph)).toEqual([])
  })

  it('of the libraries name no command and no flag of the program, and leave the words of advice to it', () => {
    const told =
      /hint:\s*(?:[\w.]+ \?\s*)?['"`]|['"`][^'"`\n]*(?<![\w-])(?:--[a-z]|mirror (?:push|sync|copy|save|inspect|verify))/
    const libraries = ['packages/bundle/src', 'packages/oci-client/src'].flatMap(inFolder)
    const lines = libraries.flatMap(({path}) =>
      readFileSync(join(root, path), 'utf8')
        .split('\n')
        .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line) && !line.includes('setFlagsFromString('))
        .filter((line) => told.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
    expect(lines).toEqual([])
  })

  it('have one list of the characters that no terminal shows', () => {
    const list = /\\p\{C[cfs]\}|\\u(?:202e|200b)/i
    const lists = ['packages/bundle/src', 'packages/oci-client/src', 'packages/cli/src']
      .flatMap(inFolder)
      .filter(({path}) => list.test(readFileSync(join(root, path), 'utf8').replaceAll(/^\s*\/?\*.*$/gm, '')))
    expect(lists.map(({path}) => path)).toEqual(['packages/oci-client/src/model/printable.ts'])
  })

  it('only named files of the program read the environment or leave the process', () => {
    const reads = (pattern: RegExp): readonly string[] =>
      sources
        .filter(({path}) => path.includes('/src/') && pattern.test(readFileSync(join(root, path), 'utf8')))
        .map(({path}) => path)
    expect(reads(/process\.env\b/)).toEqual(['packages/cli/src/settings/environment.ts'])
    expect(reads(/process\.exit\(/)).toEqual(['packages/cli/src/run/signals.ts'])
  })
})
