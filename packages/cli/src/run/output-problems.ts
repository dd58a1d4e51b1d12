import {messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {checkWritable} from '../files/write-atomically.js'
import type {OutputSettings} from '../settings/output-settings.js'

const KEYS = ['report', 'failed', 'junit', 'metrics', 'trace', 'html'] as const

/** A file that a run could not write at its end. */
export interface OutputProblem {
  readonly key: (typeof KEYS)[number]
  readonly path: string
  readonly why: string
}

/** The files of the output that cannot be written, as far as that shows before the work. */
export function outputProblems({
  report,
  failed,
  junit,
  metrics,
  trace,
}: OutputSettings): Promise<readonly OutputProblem[]> {
  return writingProblems({report, failed, junit, metrics, trace})
}

/** The files that cannot be written, by the flags that name them, as far as that shows now. */
export async function writingProblems(
  files: Readonly<Partial<Record<OutputProblem['key'], string | undefined>>>,
): Promise<readonly OutputProblem[]> {
  const problems = await Promise.all(
    KEYS.map(async (key): Promise<readonly OutputProblem[]> => {
      const path = files[key]
      if (path === undefined) return []
      try {
        await checkWritable(path)
        return []
      } catch (error) {
        return [{key, path, why: messageOf(error)}]
      }
    }),
  )
  return problems.flat()
}

/** Refuses the run before its first byte. */
export function outputError(problems: readonly OutputProblem[]): MirrorError {
  return new MirrorError(
    'USAGE',
    problems.map(({key, path, why}) => `--${key} ${path} cannot be written: ${why}`).join(', and '),
    {hint: 'Name a file in a directory that exists and is writable.'},
  )
}
