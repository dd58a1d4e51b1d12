import type {Explanation, Try} from './explanation.js'
import {probeAnswerLine, type ProbeAnswer} from './probe-answer.js'

/** The explanation for people, as lines; with the answers to the tries if they were asked. */
export function explanationLines(
  explanation: Explanation,
  answers?: readonly ProbeAnswer[],
): readonly string[] {
  const {reference, as, assumed, tries, warnings} = explanation
  return [
    `${reference} as pulled by ${as}`,
    ...assumed.map((text) => `assumed: ${text}`),
    ...tries.flatMap((one, index) => tryLines(one, {number: index + 1, answer: answers?.[index]})),
    '',
    ...endLines(explanation),
    ...(answers === undefined ? [] : [probeResult(explanation, answers)]),
    ...warnings.map((text) => `warning: ${text}`),
  ]
}

function tryLines(
  one: Try,
  {number, answer}: {readonly number: number; readonly answer: ProbeAnswer | undefined},
): readonly string[] {
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
    ...(answer === undefined ? [] : [`${indent}answer: ${probeAnswerLine(answer)}`]),
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

function probeResult({tries}: Explanation, answers: readonly ProbeAnswer[]): string {
  const first = answers.findIndex(({status}) => status === 200)
  const url = tries[first]?.url
  return url === undefined
    ? 'Probe: none of these URLs has the image.'
    : `Probe: the image comes from ${url}.`
}
