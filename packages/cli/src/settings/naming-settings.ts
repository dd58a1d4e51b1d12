import {limits} from '@airgap-mirror/oci-client/model'
import {parseMapFile, type ListedImage} from '../names/image-list.js'
import {referenceKey, type NamingRules} from '../names/naming.js'
import {parseRegistryTarget} from '../names/registry-target.js'
import {parseRewriteRule} from '../names/rewrite.js'
import type {JobNaming} from '../job/job.js'
import type {FlagReader} from './flag-values.js'
import {readTextFile} from '../files/read-file.js'
import {defaults} from './defaults.js'
import {namingSettings} from '../job/shared-settings.js'

/**
 * Reads the flags that choose names at the target.
 * @throws {MirrorError} USAGE
 */
export function readNamingFlags({text, choice, list, whole}: FlagReader): JobNaming {
  const mapHost = choice('map-host', namingSettings['map-host'].values)
  const rewrites = list('rewrite').map(parseRewriteRule)
  const mapFile = text('map')
  const maxDepth = whole('max-depth', namingSettings['max-depth'].range)
  return {
    mapHost,
    rewrites: rewrites.length === 0 ? undefined : rewrites,
    mapFile,
    maxDepth,
  }
}

/**
 * Reads the rules by which images are named at one registry.
 * @param options.target of `--private-registry`
 * @throws {MirrorError} USAGE, LIST_INVALID, LIMIT_EXCEEDED
 */
export async function readNamingRules(
  read: FlagReader,
  {target, listed}: {readonly target: string; readonly listed: readonly ListedImage[]},
): Promise<NamingRules> {
  const {mapFile, mapHost = defaults.mapHost, rewrites = [], maxDepth} = readNamingFlags(read)
  return {
    ...parseRegistryTarget(target),
    mapHost,
    rewrites,
    map: new Map([...secondColumns(listed), ...(await readMapFile(mapFile))]),
    maxDepth,
  }
}

/**
 * The lines of a map file; none if there is no file.
 * @throws {MirrorError} LIST_INVALID naming every bad line, LIMIT_EXCEEDED
 */
export async function readMapFile(path: string | undefined): Promise<ReadonlyMap<string, string>> {
  return path === undefined
    ? new Map()
    : parseMapFile(
        await readTextFile(path, {flag: '--map', limit: limits.listBytes, code: 'LIST_INVALID'}),
        path,
        referenceKey,
      )
}

/** A list's second columns are targets, beneath the lines of `--map`. */
function secondColumns(listed: readonly ListedImage[]): readonly (readonly [string, string])[] {
  return listed.flatMap(({source, target}) =>
    target === undefined ? [] : [[referenceKey(source), target] as const],
  )
}
