import {readdirSync, readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {join} from 'node:path'
import {root} from './pages.js'

const directory = join(root, 'docs', 'examples')

/** Names of all files in docs/examples. */
export function exampleNames(): readonly string[] {
  return readdirSync(directory).toSorted()
}

export function readExample(name: string): string {
  return readFileSync(join(directory, name), 'utf8')
}

/** @param path below `deploy` */
export function readDeployed(path: string): string {
  return readFileSync(join(root, 'deploy', path), 'utf8')
}

interface YamlDocument {
  readonly errors: readonly Error[]
  readonly warnings: readonly Error[]
  toJS(): unknown
}

/** The parser that the program has, since these tests have none of their own. */
const yaml = createRequire(join(root, 'packages', 'cli', 'package.json'))('yaml') as {
  parseAllDocuments(text: string, options: {readonly strict: true}): readonly YamlDocument[]
}

/** @throws whatever is wrong with any of the documents, warnings included */
export function readYaml(text: string): readonly unknown[] {
  return yaml.parseAllDocuments(text, {strict: true}).map((document) => {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) throw problem
    return document.toJS()
  })
}

/** A unit file: the values of each key, by section. */
export type Unit = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

/** @throws {Error} for a line that is neither a comment, nor a section, nor a setting in one */
export function readUnit(text: string): Unit {
  const unit: Record<string, Record<string, string[]>> = {}
  let section: Record<string, string[]> | undefined
  for (const line of text.replaceAll(/ *\\\n */g, ' ').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? []
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (name !== undefined) section = unit[name] ??= {}
    else if (section !== undefined && key !== undefined) (section[key] ??= []).push(value ?? '')
    else throw new Error(`not a line of a unit file: ${line}`)
  }
  return unit
}

export interface CronTable {
  readonly variables: Readonly<Record<string, string>>
  readonly lines: readonly {readonly user: string; readonly command: string}[]
}

const FIELD = String.raw`(?:\*|\d{1,2}(?:-\d{1,2})?)(?:\/\d{1,2})?(?:,\d{1,2}(?:-\d{1,2})?)*`
const CRON_LINE = new RegExp(`^(?:${FIELD} ){5}([a-z_][a-z0-9_-]*) ([^%]+)$`)

/**
 * A file of /etc/cron.d.
 * @throws {Error} for a line that cron would not take, or would take otherwise: to it a `%` is the end of a line
 */
export function readCron(text: string): CronTable {
  const variables: Record<string, string> = {}
  const lines: {user: string; command: string}[] = []
  if (!text.endsWith('\n')) throw new Error('cron leaves out a last line that does not end')
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('#')) continue
    const [, name, value] = /^([A-Z_]+)=(\S+)$/.exec(line) ?? []
    const [, user, command] = CRON_LINE.exec(line) ?? []
    if (name !== undefined && value !== undefined) variables[name] = value
    else if (user !== undefined && command !== undefined) lines.push({user, command})
    else throw new Error(`not a line of /etc/cron.d: ${line}`)
  }
  return {variables, lines}
}
