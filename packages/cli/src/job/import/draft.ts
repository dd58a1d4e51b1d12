import type {Path} from '../problems.js'
import type {RawJobFile} from '../raw-job.js'

/** A remark for the reader of the new file: above the line of its path, and on standard error. */
export interface Remark {
  readonly path: Path
  readonly text: string
}

/** A job file made from another program's, before it is written. */
export interface Draft {
  readonly file: Partial<RawJobFile>
  /** Remarks on settings that have no counterpart here or mean something else. */
  readonly remarks: readonly Remark[]
}

/** Returns plain text as a job file has it, with every `$` escaped that would begin a variable. */
export function literal(text: string): string {
  return text.replaceAll(/\$(?=[${])/g, '$$$$')
}

/** A variable's name for a secret of a host: secrets are never written into the new file. */
export function variableFor(host: string, what: 'USERNAME' | 'PASSWORD'): string {
  return `${host
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .replace(/^(?=\d)/, 'R')}_${what}`
}

/** Returns the values without undefined, empty lists and empty objects, which would be empty keys in a file. */
export function said<Values extends object>(
  values: Values,
): {[Key in keyof Values]?: Exclude<Values[Key], undefined>} {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !isNothing(value))) as {
    [Key in keyof Values]?: Exclude<Values[Key], undefined>
  }
}

function isNothing(value: unknown): boolean {
  return (
    value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  )
}
