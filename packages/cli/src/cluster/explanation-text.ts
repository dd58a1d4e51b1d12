import type {Explanation, Try} from './explanation.js'

/** The explanation for people, as lines. */
export function explanationLines(explanation: Explanation): readonly string[] {
  const {reference, as, assumed, tries, warnings} = explanation
  return [
    `${reference} as pulled by ${as}`,
    ...assumed.map((text) => `assumed: ${text}`),
    ...tries.flatMap((one, index) => tryLines(one, index + 1)),
    '',
    ...endLines(explanation),
    ...warnings.map((text) => `warning: ${text}`),
  ]
}

function tryLines(one: Try, number: number): readonly string[] {
  const indent = ' '.repeat(String(number).length + 2)
  const isPlain = one.url.startsWith('http:')
  const verification = isPlain
    ? 'none: plain HTTP'
    : one.skipVerify
      ? 'off'
      : `on, with ${one.ca === undefined ? 'the CAs of the system alone' : `the CAs of the system and ${one.ca}`}`
  const auth =
    one.auth === 'none'
      ? 'none'
      : `${one.auth}${one.authSource === undefined ? '' : `, from ${one.authSource}`}`
  return [
    '',
    `${number}. ${one.url}`,
    ...(one.orUrl === undefined ? [] : [`${indent}or, at random: ${one.orUrl}`]),
    `${indent}source: ${one.source}`,
    `${indent}TLS verification: ${verification}`,
    `${indent}credentials: ${auth}`,
    ...(one.only === undefined ? [] : [`${indent}expected to end in a TLS error; the next URL follows`]),
    ...(one.public ? [`${indent}this is a public registry`] : []),
  ]
}

function endLines({outcome, message, tries, endsAtPublic}: Explanation): readonly string[] {
  const end = endsAtPublic
    ? 'If no earlier URL has the image, it is pulled from the public registry.'
    : tries.some((one) => one.public)
      ? 'A public registry is asked on the way, but not last.'
      : 'No public registry is asked.'
  const why = message === undefined ? '' : `: ${message}`
  if (outcome === 'tries-all') return [end]
  if (outcome === 'ambiguous') return [`Ambiguous${why}. ${end}`]
  if (outcome === 'blocked') return [`Blocked after these${why}. ${end}`]
  return [outcome === 'error' ? `Error${why}.` : `Refused by policy${why}.`]
}
