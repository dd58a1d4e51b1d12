import type {Explanation, Try} from '../explanation.js'

/** `leaks`: a public registry is asked for the image. `refused`: the node's configuration forbids it. */
export type CheckStatus = 'from-mirror' | 'leaks' | 'fails' | 'refused'

export interface Verdict {
  readonly status: CheckStatus
  /** In words; absent for an image from the mirror about which there is nothing to say. */
  readonly reason?: string
  /** The URL that decided. */
  readonly url?: string
}

/** Resolves to true if the mirror answers the URL with the image, or to a text that says why the URL is not asked. */
export type Holds = (url: string) => Promise<boolean | string>

/**
 * Returns what becomes of an image: follows a node's tries up to the first that has it.
 * @param holds absent: the first try that is not public counts as having the image
 */
export async function judge(explanation: Explanation, holds: Holds | undefined): Promise<Verdict> {
  const {outcome, message = ''} = explanation
  if (outcome === 'error') return {status: 'fails', reason: message}
  if (outcome === 'ambiguous') return {status: 'fails', reason: `the runtime chooses at random: ${message}`}
  if (outcome === 'refused-by-policy') return {status: 'refused', reason: message}
  const tries = explanation.tries.filter(({only}) => only === undefined)
  const missed: string[] = []
  for (const one of tries) {
    if (one.public) return leak(one, missed)
    const answer = holds === undefined ? true : await holds(one.url)
    if (answer === true) return fromMirror(one, explanation)
    missed.push(answer === false ? `${hostOf(one)} does not have it` : answer)
  }
  const [last] = tries.slice(-1)
  const url = last?.url
  if (outcome === 'blocked') return {status: 'refused', reason: [...missed, message].join('; '), url}
  const [attempt] = explanation.tries
  if (tries.length === 0 && attempt !== undefined)
    return {status: 'fails', reason: 'every attempt ends in a TLS error', url: attempt.url}
  return {
    status: 'fails',
    reason: missed.length === 0 ? 'nothing is asked for it' : missed.join('; '),
    url,
  }
}

function leak(one: Try, missed: readonly string[]): Verdict {
  const before = missed.length === 0 ? 'no mirror is asked before it' : missed.join('; ')
  return {status: 'leaks', reason: `${hostOf(one)} is asked: ${before}`, url: one.url}
}

function fromMirror(one: Try, {tries}: Explanation): Verdict {
  const fallback = tries.find((other) => other.public)
  return {
    status: 'from-mirror',
    url: one.url,
    reason:
      fallback === undefined ? undefined : `falls back to ${hostOf(fallback)} for what the mirror lacks`,
  }
}

/** A node's files may name a host that no URL can have. */
function hostOf({url}: Try): string {
  return URL.canParse(url) ? new URL(url).host : (/^https?:\/\/([^/]+)/.exec(url)?.[1] ?? url)
}
