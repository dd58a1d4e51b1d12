import {realpath, stat} from 'node:fs/promises'
import {basename, dirname, join, resolve} from 'node:path'
import {followOwnLinks, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {checkWritable} from '../files/write-atomically.js'
import type {OutputSettings} from '../settings/output-settings.js'

const KEYS = ['report', 'failed', 'junit', 'metrics', 'trace', 'html', 'lock'] as const

/** A file that a run could not write at its end. */
export interface OutputProblem {
  readonly key: (typeof KEYS)[number]
  readonly path: string
  readonly why: string
}

/**
 * The files of the output that cannot be written, as far as that shows before the work.
 * @param kept as in {@link writingProblems}
 */
export function outputProblems(
  {report, failed, junit, metrics, trace, lock}: OutputSettings,
  kept: readonly string[],
): Promise<readonly OutputProblem[]> {
  return writingProblems({report, failed, junit, metrics, trace, lock}, kept)
}

/**
 * The files that cannot be written, by the flags that name them, as far as that shows now. Two flags must not name one file.
 * @param kept bundles of the run, which no output may replace
 */
export async function writingProblems(
  files: Readonly<Partial<Record<OutputProblem['key'], string | undefined>>>,
  kept: readonly string[],
): Promise<readonly OutputProblem[]> {
  const taken = new Map<string, string>()
  for (const path of kept) {
    const file = await fileAt(path)
    if (file !== undefined) taken.set(file, `it is the bundle ${path}`)
  }
  const problems: OutputProblem[] = []
  for (const key of KEYS) {
    const path = files[key]
    if (path === undefined) continue
    const file = await fileAt(path)
    const why = (await writable(path)) ?? (file === undefined ? undefined : taken.get(file))
    if (why !== undefined) problems.push({key, path, why})
    else if (file !== undefined) taken.set(file, `--${key} names it, too`)
  }
  return problems
}

/** Returns why a file cannot be written. */
async function writable(path: string): Promise<string | undefined> {
  if (path === '-') return 'standard output is /dev/stdout here'
  if (path === '') return 'its name is empty'
  try {
    await checkWritable(path)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** Returns true if two paths lead to one file or directory, or to one place where neither is yet. */
export async function isSamePlace(one: string, other: string): Promise<boolean> {
  const place = async (path: string): Promise<string> => (await fileAt(path)) ?? (await realpath(path))
  return (await place(one)) === (await place(other))
}

/** Identifies a file, whatever path leads to it, or the place of one that is not there; undefined for devices and directories. */
async function fileAt(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path)
    return stats.isFile() ? `${stats.dev}:${stats.ino}` : undefined
  } catch {
    return placeOf(path).catch(() => resolve(path))
  }
}

/** The place where a file will be written that is not there yet. */
async function placeOf(path: string): Promise<string> {
  const {place} = await followOwnLinks(path)
  return join(await realpath(dirname(place)), basename(place))
}

/** Refuses the run before its first byte. */
export function outputError(problems: readonly OutputProblem[]): MirrorError {
  return new MirrorError(
    'USAGE',
    problems
      .map(({key, path, why}) => `--${key} ${path === '' ? '""' : path} cannot be written: ${why}`)
      .join(', and '),
    {hint: 'Name a file of its own, in a directory that exists and is writable.'},
  )
}
