import {readScratch} from '../../settings/choice-settings.js'
import {flagReader, type FlagValues} from '../../settings/flag-values.js'
import {stateDirectory} from '../../settings/output-settings.js'

/** The settings of an inspection, read and checked. */
export interface InspectSettings {
  readonly bundle: string
  readonly form: 'table' | 'tree' | 'json'
  /** Used for standard input alone: a file is read in passes instead. */
  readonly scratch: {readonly directory: string} | 'never'
  /** Absent: nothing is remembered. */
  readonly stateDirectory: string | undefined
}

/** Reads and checks the flags of an inspection. */
export function readInspectSettings(bundle: string, flags: FlagValues): InspectSettings {
  const read = flagReader(flags)
  const {on} = read
  return {
    bundle,
    form: on('json') ? 'json' : on('tree') ? 'tree' : 'table',
    scratch: readScratch(read),
    stateDirectory: stateDirectory(read),
  }
}
