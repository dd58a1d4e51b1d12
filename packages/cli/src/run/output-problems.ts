import {messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {checkWritable} from '../files/write-atomically.js'
import type {OutputSettings} from '../settings/output-settings.js'

/** A file that a run could not write at its end. */
export interface OutputProblem {
  readonly key: 'report' | 'failed' | 'junit' | 'metrics'
  readonly path: string
  readonly why: string
}

/** The files of the output that cannot be written, as far as that shows before the work. */
export async function outputProblems(output: OutputSettings): Promise<readonly OutputProblem[]> {
  const problems = await Promise.all(
    (['report', 'failed', 'junit', 'metrics'] as const).map(
      async (key): Promise<readonly OutputProblem[]> => {
        const path = output[key]
        if (path === undefined) return []
        try {
          await checkWritable(path)
          return []
        } catch (error) {
          return [{key, path, why: messageOf(error)}]
        }
      },
    ),
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
