import {formatFailure} from '../text/format-error.js'
import {count} from '../text/format-quantity.js'
import {failureOf, referenceOf} from './report-error.js'
import {isFailed, type ImageStatus, type ReportError} from './report.js'

/** An image as far as its failure is told. */
export interface Failing {
  readonly source: string
  readonly target: string
  readonly status: ImageStatus
  readonly reason?: string
  readonly error?: ReportError
}

interface Failed {
  readonly image: Failing
  readonly error: ReportError
}

const CAUSES_SHOWN = 25
const NAMES_SHOWN = 5

/**
 * Returns a line for each cause of failures, with the names of the images that share it; a hint that several causes in a row
 * share, once after them; last what concerns the whole run.
 */
export function formatFailures({
  images,
  error,
  errors = error === undefined ? [] : [error],
}: {
  readonly images: readonly Failing[]
  readonly error?: ReportError
  readonly errors?: readonly ReportError[]
}): string {
  const causes = byCause(images)
  const lines = causes.slice(0, CAUSES_SHOWN).map((failed, index) => {
    const hint = failed[0]?.error.hint
    const next = index + 1 < CAUSES_SHOWN ? causes[index + 1]?.[0] : undefined
    return formatFailure(wordsOf(failed), next?.error.hint === hint ? undefined : hint)
  })
  const rest = causes.slice(CAUSES_SHOWN)
  const more =
    rest.length === 0
      ? ''
      : `  and ${count(rest.flat().length, 'image')} for ${count(rest.length, 'other cause')}: see --report\n`
  const last = errors.map((one, index) =>
    formatFailure(
      failureOf({source: '', target: ''}, one),
      errors[index + 1]?.hint === one.hint ? undefined : one.hint,
    ),
  )
  return `${lines.join('')}${more}${last.join('')}`
}

function byCause(images: readonly Failing[]): readonly (readonly Failed[])[] {
  const causes = new Map<string, Failed[]>()
  for (const image of images) {
    if (!isFailed(image)) continue
    const error = image.error ?? {code: image.status, message: image.reason ?? image.status}
    const {code, side, message, hint = ''} = error
    const key = JSON.stringify([code, side, withoutNames(message, image), withoutNames(hint, image)])
    const known = causes.get(key)
    if (known === undefined) causes.set(key, [{image, error}])
    else known.push({image, error})
  }
  return [...causes.values()]
}

/** `source`, `5 images`, the message, the names. An image alone is told in full. */
function wordsOf(failed: readonly Failed[]): readonly string[] {
  const [first, ...others] = failed
  if (first === undefined) return []
  if (others.length === 0) return failureOf(first.image, first.error)
  const {error, image} = first
  const isSame = others.every((other) => other.error.message === error.message)
  const names = [...new Set(failed.map((one) => referenceOf(one.image, one.error)))]
  const shown = names.slice(0, NAMES_SHOWN).join(', ')
  const rest = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : ''
  return [
    error.side ?? 'target',
    count(failed.length, 'image'),
    isSame ? error.message : withoutNames(error.message, image),
    `${shown}${rest}`,
  ]
}

const DIGEST = /\b(sha256|sha512):[0-9a-f]{8,}/g

/** Returns the message as for any other image: with words in place of the image's own names, and without digests. */
export function withoutNames(message: string, {source, target}: Pick<Failing, 'source' | 'target'>): string {
  const names = [source, target].filter((name) => name !== '')
  let text = message
  for (const [name, words] of [
    ...names.map((name) => [name, 'the image'] as const),
    ...names.map((name) => [repositoryIn(name), 'the repository'] as const),
    ...names.map((name) => [afterHost(repositoryIn(name)), 'the repository'] as const),
  ]) {
    if (name !== '') text = replaceWord(text, name, words)
  }
  return text.replace(DIGEST, '$1:…')
}

const NAME_CHARACTER = /[\w./:@-]/

/** Replaces a name, but not as a part of a longer one. */
function replaceWord(text: string, name: string, words: string): string {
  const [first = '', ...others] = text.split(name)
  let result = first
  let rest = first
  for (const [index, part] of others.entries()) {
    const isPart = NAME_CHARACTER.test(rest.at(-1) ?? '') || /^(?:[\w/@-]|[.:]\w)/.test(part)
    result += `${isPart ? name : words}${part}`
    // An empty part is followed by the name again.
    rest = part === '' && index + 1 < others.length ? name : part
  }
  return result
}

function repositoryIn(reference: string): string {
  const [name = ''] = reference.split('@')
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name
}

function afterHost(repository: string): string {
  return repository.slice(repository.indexOf('/') + 1)
}
