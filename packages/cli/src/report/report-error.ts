import {isMirrorError} from '@airgap-mirror/oci-client/model'
import {explain} from '../text/format-error.js'
import type {ReportError} from './report.js'

/**
 * An error as the report holds it: no stack, no credential, one printable line. Any other error than a MirrorError is a `BUG`. Its
 * advice is worded later, for the command: see `wordedReport`.
 */
export function reportErrorOf(thrown: unknown): ReportError {
  if (!isMirrorError(thrown)) {
    const message = thrown instanceof Error ? `${thrown.name}: ${explain(thrown)}` : String(thrown)
    return {code: 'BUG', message, hint: 'Report it: this is a bug in mirror.'}
  }
  const {side, advice, hint} = thrown
  return {
    code: thrown.code,
    message: explain(thrown),
    side,
    advice,
    hint,
  }
}

/** The name of an image at the side on which it failed. */
export function referenceOf(
  {source, target}: {readonly source: string; readonly target: string},
  error: ReportError | undefined,
): string {
  return error?.side === 'source' || target === '' ? source : target
}

/** Side, reference and message, in the order in which errors are told; the reference only once. */
export function failureOf(
  image: {readonly source: string; readonly target: string},
  error: ReportError,
): readonly string[] {
  const reference = referenceOf(image, error)
  return [error.side ?? 'target', ...(error.message.includes(reference) ? [] : [reference]), error.message]
}
