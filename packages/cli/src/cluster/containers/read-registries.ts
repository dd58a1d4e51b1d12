import {messageOf} from '@airgap-mirror/oci-client/model'
import {byBytes, fileNamesIn, type NodeFiles} from '../files/node-files.js'
import type {Alias, Entry, Registries, ShortNameMode} from './registries.js'
import {parseRegistriesFile, type RegistriesFile} from './registries-file.js'

const SYSTEM_FILE = '/etc/containers/registries.conf'
const SYSTEM_DROP_INS = '/etc/containers/registries.conf.d'

/**
 * Reads registries.conf and its drop-ins as containers/image does for the user with that home directory. A user's own
 * registries.conf, also root's, hides the files of the system and their drop-ins.
 * @throws {Error} worded as containers/image does; then no image can be pulled
 */
export function readRegistries(files: NodeFiles, {home}: {readonly home: string}): Registries {
  const userFile = `${home}/.config/containers/registries.conf`
  const userDropIns = `${home}/.config/containers/registries.conf.d`
  const isUsers = files.text(userFile) !== undefined
  const main = isUsers ? userFile : SYSTEM_FILE
  const directories = isUsers ? [userDropIns] : [SYSTEM_DROP_INS, userDropIns]
  const warnings: string[] = []
  const text = files.text(main)
  const first = text === undefined ? undefined : parse(text, {path: main, isDropIn: false})
  const dropIns = directories.flatMap((directory) => readDropIns(files, {directory, warnings}))
  if (isUsers) warnings.push(...hiddenBy(userFile, files))
  const all = first === undefined ? dropIns : [first, ...dropIns]
  const search = all.findLast((file) => file.search !== undefined)
  const searchFile = search?.path ?? first?.path
  return {
    entries: dropIns.length === 0 ? (first?.entries ?? []) : mergeEntries(all, warnings),
    search: search?.search ?? [],
    shortNameMode: last(all, 'shortNameMode') ?? 'permissive',
    aliases: new Map<string, Alias>(all.flatMap(({aliases}) => [...aliases])),
    credentialHelpers: helpersOf(all),
    description: [main, ...directories].join(', '),
    warnings: [...all.flatMap((file) => file.warnings), ...warnings],
    searchFile,
  }
}

function readDropIns(
  files: NodeFiles,
  {directory, warnings}: {readonly directory: string; readonly warnings: string[]},
): readonly RegistriesFile[] {
  const below = files.paths.filter((path) => path.startsWith(`${directory}/`))
  for (const path of below) {
    const name = path.slice(directory.length + 1)
    if (name.includes('/'))
      warnings.push(`${path} is ignored because sub-directories of ${directory} are not read`)
    else if (!name.endsWith('.conf'))
      warnings.push(`${path} is ignored because its name does not end in .conf`)
  }
  return fileNamesIn(files, directory)
    .filter((name) => name.endsWith('.conf'))
    .map((name) => {
      const path = `${directory}/${name}`
      return parse(files.text(path) ?? '', {path, isDropIn: true})
    })
}

function parse(
  text: string,
  {path, isDropIn}: {readonly path: string; readonly isDropIn: boolean},
): RegistriesFile {
  try {
    return parseRegistriesFile(text, {path, isDropIn})
  } catch (cause) {
    const kind = isDropIn ? 'drop-in registries configuration' : 'registries configuration'
    throw new Error(`loading ${kind} "${path}": ${messageOf(cause)}`, {cause})
  }
}

function hiddenBy(userFile: string, files: NodeFiles): readonly string[] {
  return files.paths
    .filter(
      (path) => path === SYSTEM_FILE || (path.startsWith(`${SYSTEM_DROP_INS}/`) && path.endsWith('.conf')),
    )
    .map((path) => `${path} is ignored because the user's own ${userFile} is there`)
}

/** An entry of a later file replaces the whole entry with the same prefix: its mirrors, and whether it is blocked. */
function mergeEntries(all: readonly RegistriesFile[], warnings: string[]): readonly Entry[] {
  const merged = new Map<string, Entry>()
  for (const entry of all.flatMap(({entries}) => entries)) {
    const earlier = merged.get(entry.prefix)
    if (earlier !== undefined)
      warnings.push(
        `${earlier.at}: this [[registry]], its mirrors included, is ignored because ${entry.at} has the same prefix ${entry.prefix}`,
      )
    merged.set(entry.prefix, entry)
  }
  return [...merged.values()].sort((left, right) => byBytes(left.prefix, right.prefix))
}

function last(all: readonly RegistriesFile[], key: 'shortNameMode'): ShortNameMode | undefined {
  return all.findLast((file) => file[key] !== undefined)?.[key]
}

function helpersOf(all: readonly RegistriesFile[]): readonly string[] {
  const helpers = all.findLast((file) => file.credentialHelpers !== undefined)?.credentialHelpers ?? []
  return helpers.length === 0 ? ['containers-auth.json'] : helpers
}
