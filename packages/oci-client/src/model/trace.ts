import {channel} from 'node:diagnostics_channel'
import {codeOf} from './error-code.js'

/** The kinds of work that a trace tells apart. */
export type SpanKind = 'step' | 'blob' | 'manifest' | 'request' | 'decoding' | 'compression' | 'waiting'

export type SpanDetails = Readonly<Record<string, string | number | boolean | undefined>>

/** Work between two moments. It holds no credential, no header and no query that could be signed. */
export interface Span {
  readonly kind: SpanKind
  readonly name: string
  /** The host that a request goes to. */
  readonly host?: string
  readonly details?: SpanDetails
}

/** Published twice for each span, with the same `span` object: when it begins and when it ends. */
export interface SpanMessage {
  readonly moment: 'begin' | 'end'
  readonly span: Span
  /** Known only at the end. */
  readonly details?: SpanDetails
}

/** Ends a span. Only the first call counts. */
export type EndSpan = (details?: SpanDetails) => void

/** Name of the channel of `node:diagnostics_channel` on which every span of the process is published. */
export const SPAN_CHANNEL = 'airgap-mirror:span'

const spans = channel(SPAN_CHANNEL)

function nothing(): void {}

/** Returns true if something listens for spans. */
export function isTraced(): boolean {
  return spans.hasSubscribers
}

/** @param describe is called only if something listens, so that a span costs nothing otherwise */
export function beginSpan(describe: () => Span): EndSpan {
  if (!spans.hasSubscribers) return nothing
  const span = describe()
  let isOpen = true
  spans.publish({moment: 'begin', span} satisfies SpanMessage)
  return (details) => {
    if (!isOpen) return
    isOpen = false
    spans.publish({moment: 'end', span, details} satisfies SpanMessage)
  }
}

/** Does the work within a span, which has the code of the error if the work fails. */
export function inSpan<Result>(
  describe: () => Span,
  work: () => Promise<Result>,
  found?: (result: Result) => SpanDetails,
): Promise<Result> {
  return spans.hasSubscribers ? spanned(beginSpan(describe), work, found) : work()
}

async function spanned<Result>(
  end: EndSpan,
  work: () => Promise<Result>,
  found: ((result: Result) => SpanDetails) | undefined,
): Promise<Result> {
  try {
    const result = await work()
    end(found?.(result))
    return result
  } catch (error) {
    end({error: failureName(error)})
    throw error
  }
}

/** Returns the code of an error, because its message may quote what a server sent. */
export function failureName(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return codeOf(error) ?? error.name
}
