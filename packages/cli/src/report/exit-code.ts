import {isMirrorError, type ErrorCode} from '@airgap-mirror/oci-client/model'
import {isFailed, type Report, type ReportImage} from './report.js'

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 70 | 129 | 130 | 143

export interface ExitCodeOptions {
  /** The signal that ended the run, if one did. */
  readonly endedBy?: 'SIGHUP' | 'SIGINT' | 'SIGTERM'
  /** The run was ended since its time was up: that is a failure, and not an interruption. */
  readonly isOverdue?: boolean
  /** True once bytes may have gone to the target: damage found then is a failure, not invalid input. */
  readonly sending?: boolean
}

/** The exit code of a run that came to its report. */
export function exitCodeOfReport(report: Report, options: ExitCodeOptions = {}): ExitCode {
  if (report.error?.code === 'STATE_LOCKED') return 5
  switch (report.outcome) {
    case 'ok':
    case 'planned':
      return 0
    case 'cancelled':
      return interrupted(options)
    case 'partial':
    case 'failed':
      break
  }
  if (report.images.some(({status}) => status === 'differs')) return 4
  if (report.outcome === 'partial') return 3
  const failed = report.images.filter(isFailed)
  const fromRegistry = isRegistry(report)
  return failed.length > 0 && failed.every((image) => isInvalidInput(image, fromRegistry)) ? 2 : 1
}

/** Found in the input before anything was sent for it. A registry is no input: it may answer otherwise a minute later. */
function isInvalidInput({attempts, error}: ReportImage, fromRegistry: boolean): boolean {
  return (
    attempts === 0 &&
    error !== undefined &&
    error.side !== 'target' &&
    (INVALID_INPUT.has(error.code) || (DAMAGED_SOURCE.has(error.code) && !fromRegistry))
  )
}

function isRegistry({command, source}: Report): boolean {
  return command === 'sync' || source.startsWith('docker://')
}

/** The exit code of a run that an error ended. Anything but a `MirrorError` is a bug: 70, as in sysexits.h. */
export function exitCodeOfError(error: unknown, options: ExitCodeOptions = {}): ExitCode {
  if (!isMirrorError(error)) return 70
  if (error.code === 'CANCELLED') return interrupted(options)
  if (error.code === 'STATE_LOCKED') return 5
  if (INVALID_INPUT.has(error.code)) return 2
  const damaged = DAMAGED_SOURCE.has(error.code) && error.side !== 'target'
  return damaged && options.sending !== true ? 2 : 1
}

/** The report with the exit code, before the images. */
export function withExitCode(report: Report, exitCode: ExitCode): Report {
  const {images, ...rest} = report
  return {...rest, exitCode, images}
}

function interrupted({endedBy, isOverdue}: ExitCodeOptions): ExitCode {
  if (endedBy === undefined && isOverdue === true) return 1
  if (endedBy === 'SIGHUP') return 129
  return endedBy === 'SIGTERM' ? 143 : 130
}

const INVALID_INPUT: ReadonlySet<string> = new Set<ErrorCode>([
  'USAGE',
  'CONFIG_INVALID',
  'LIST_INVALID',
  'NAME_INVALID',
  'NAME_MISSING',
  'NAME_COLLISION',
  'NOT_EXPRESSIBLE',
  'IMAGE_NOT_FOUND',
  'CREDENTIALS_INVALID',
  'CERTIFICATE_INVALID',
  'KEY_INVALID',
  'SIGNATURE_INVALID',
])

const DAMAGED_SOURCE: ReadonlySet<string> = new Set<ErrorCode>([
  'SOURCE_UNREADABLE',
  'SOURCE_UNKNOWN',
  'SOURCE_EMPTY',
  'SOURCE_TRUNCATED',
  'SOURCE_CORRUPT',
  'SOURCE_UNSUPPORTED',
  'LIMIT_EXCEEDED',
  'DIGEST_MISMATCH',
  'BLOB_MISSING',
  'MANIFEST_INVALID',
  'INDEX_SPARSE',
])
