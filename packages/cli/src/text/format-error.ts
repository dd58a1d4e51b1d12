import {
  codeOf,
  isMirrorError,
  messageOf,
  type ErrorCode,
  type MirrorError,
} from '@airgap-mirror/oci-client/model'
import {advise} from './advice/advise.js'
import type {AdvisedCommand} from './advice/words.js'
import {shortened} from './printable.js'
import {redacted} from './redacted.js'

/** A registry may answer with a page of HTML; the start and the end of it are enough. */
const LONGEST = 2000
const DEEPEST = 8
/** Their causes are codes of OpenSSL, which the message has in words. */
const TOLD_IN_FULL: ReadonlySet<string> = new Set<ErrorCode>(['TLS_UNTRUSTED', 'TLS_NOT_SPOKEN'])

/**
 * The text of an error: `error: <side>: message`, and a `hint:` line with its advice. Anything else than a MirrorError is
 * a bug and shows its stack. Ends with a newline.
 * @param options.command the command that failed; without one, no flag is named
 */
export function formatError(thrown: unknown, options: {readonly command?: AdvisedCommand} = {}): string {
  return isMirrorError(thrown) ? formatMirrorError(thrown, options.command) : formatBug(thrown)
}

/** The message of an error with its causes' messages, if they add something; one printable line. */
export function explain(error: Error): string {
  let text = error.message
  if (isMirrorError(error) && TOLD_IN_FULL.has(error.code)) return line(text)
  for (const cause of causesOf(error)) {
    const more = messageOfCause(cause)
    if (more !== '' && !text.includes(more)) text += `: ${more}`
  }
  return line(text)
}

/** The lines of one failure, as errors and failed images print it. */
export function formatFailure(where: readonly string[], hint: string | undefined): string {
  return `${line(['error', ...where].join(': '))}\n${hint === undefined ? '' : `${line(`hint: ${hint}`)}\n`}`
}

function formatMirrorError(error: MirrorError, command: AdvisedCommand | undefined): string {
  const where = error.side === undefined ? [] : [error.side]
  return formatFailure([...where, explain(error)], advise(error, {command}))
}

function formatBug(thrown: unknown): string {
  const stack = thrown instanceof Error ? (thrown.stack ?? String(thrown)) : `thrown: ${String(thrown)}`
  const causes =
    thrown instanceof Error ? causesOf(thrown).map((cause) => `caused by: ${describe(cause)}`) : []
  return [
    'error: a bug in mirror: this should not have happened',
    'hint: report it with the lines below',
    ...[stack, ...causes].flatMap((text) => text.split('\n')).map(line),
    '',
  ].join('\n')
}

function causesOf(error: Error): readonly unknown[] {
  const causes: unknown[] = []
  let cause: unknown = error.cause
  while (cause !== undefined && cause !== null && causes.length < DEEPEST) {
    causes.push(cause)
    cause =
      cause instanceof AggregateError ? cause.errors[0] : cause instanceof Error ? cause.cause : undefined
  }
  return causes
}

/** The error on top says in better words that an operation was aborted. */
function messageOfCause(cause: unknown): string {
  if (typeof cause === 'string') return cause
  // The error on top says that the name is not known.
  if (codeOf(cause) === 'ENOTFOUND') return ''
  // OpenSSL ends its messages with a line break
  return cause instanceof Error && cause.name !== 'AbortError' ? messageOf(cause).replace(/:?\s+$/, '') : ''
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? String(cause)) : String(cause)
}

function line(text: string): string {
  return shortened(redacted(text), LONGEST)
}
