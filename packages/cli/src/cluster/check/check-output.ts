import type {CheckedImage} from './check-images.js'
import type {CheckStatus} from './judge.js'

const CHECK_SCHEMA = {$schema: 'urn:mirror:check:v1', schema: 'mirror.check/v1'}

export interface CheckResult {
  /** The runtime; absent if no name could be explained. */
  readonly as?: string
  readonly assumed: readonly string[]
  readonly images: readonly CheckedImage[]
  readonly warnings: readonly string[]
}

const WORDS: Readonly<Record<CheckStatus, string>> = {
  'from-mirror': 'from the mirror',
  leaks: 'leaks',
  fails: 'fails',
  refused: 'refused',
}
const STATUSES = ['from-mirror', 'leaks', 'fails', 'refused'] as const

/** The result for all images: the runtime, the assumptions, and each warning once. */
export function checkResult(images: readonly CheckedImage[]): CheckResult {
  const explanations = images.flatMap(({explanation}) => (explanation === undefined ? [] : [explanation]))
  const as = explanations[0]?.as
  return {
    images,
    assumed: [...new Set(explanations.flatMap(({assumed}) => assumed))],
    warnings: [...new Set(explanations.flatMap(({warnings}) => warnings))],
    as,
  }
}

export function checkJson({as, assumed, images, warnings}: CheckResult): object {
  return {
    ...CHECK_SCHEMA,
    as,
    assumed,
    totals: {images: images.length, ...totalsOf(images)},
    images: images.map(({reference, status, reason, url, explanation}) => ({
      reference,
      status,
      reason,
      url,
      endsAtPublic: explanation?.endsAtPublic ?? false,
      tries: explanation?.tries ?? [],
    })),
    warnings,
  }
}

/** The table for people, as lines: a row an image, with the URL that decides and the reason below it. */
export function checkLines({as, assumed, images, warnings}: CheckResult): readonly string[] {
  const width = Math.max(...images.map(({status}) => WORDS[status].length), 0)
  const totals = totalsOf(images)
  const counts = STATUSES.filter((status) => totals[status] > 0).map(
    (status) => `${totals[status]} ${WORDS[status]}`,
  )
  return [
    ...(as === undefined ? [] : [`as pulled by ${as}`]),
    ...assumed.map((text) => `assumed: ${text}`),
    '',
    ...images.flatMap(({reference, status, reason, url}) => [
      `${WORDS[status].padEnd(width)}  ${reference}`,
      ...(url === undefined ? [] : [`${' '.repeat(width)}  ${url}`]),
      ...(reason === undefined ? [] : [`${' '.repeat(width)}  ${reason}`]),
    ]),
    '',
    `${images.length} image${images.length === 1 ? '' : 's'}: ${counts.length === 0 ? 'nothing to check' : counts.join(', ')}`,
    ...warnings.map((text) => `warning: ${text}`),
  ]
}

function totalsOf(images: readonly CheckedImage[]): Readonly<Record<CheckStatus, number>> {
  const count = (status: CheckStatus): number => images.filter((image) => image.status === status).length
  return {
    'from-mirror': count('from-mirror'),
    leaks: count('leaks'),
    fails: count('fails'),
    refused: count('refused'),
  }
}
