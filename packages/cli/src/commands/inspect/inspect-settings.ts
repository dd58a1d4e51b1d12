import {readScratch} from '../../settings/choice-settings.js'
import {flagReader, refuseTwoReaders, type FlagValues} from '../../settings/flag-values.js'
import {stateDirectory} from '../../settings/output-settings.js'

/** The settings of an inspection, read and checked. */
export interface InspectSettings {
  readonly bundle: string
  /** An older bundle, report, lock file or list. */
  readonly diff: string | undefined
  /** The page to write. */
  readonly page: string | undefined
  readonly form: 'table' | 'tree' | 'json'
  /** Used for standard input and pipes alone. */
  readonly scratch: {readonly directory: string} | 'never'
  /** Absent: nothing is remembered. */
  readonly stateDirectory: string | undefined
}

/**
 * Reads and checks the flags of an inspection.
 * @throws {MirrorError} USAGE
 */
export function readInspectSettings(bundle: string, flags: FlagValues): InspectSettings {
  const read = flagReader(flags)
  const {text, on} = read
  const diff = text('diff')
  refuseTwoReaders([
    [bundle === '-', 'BUNDLE -'],
    [diff === '-', '--diff -'],
  ])
  return {
    bundle,
    diff,
    page: text('html'),
    form: on('json') ? 'json' : on('tree') ? 'tree' : 'table',
    scratch: readScratch(read),
    stateDirectory: stateDirectory(read),
  }
}
