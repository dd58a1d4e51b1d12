import type {Answer, Outcome} from '../explanation.js'
import {explainName} from './explain-name.js'
import {formatName} from './image-name.js'
import type {Candidates} from './resolve-short-name.js'
import type {Setup} from './setup.js'

interface Surroundings {
  readonly setup: Setup
  readonly assumed: readonly string[]
  readonly warnings: readonly string[]
}

/** The tries of all full names that a typed name stands for, one after another. */
export function explainNames(
  {names, how, ambiguity}: Candidates,
  {setup, assumed, warnings}: Surroundings,
): Answer {
  const notes = how === undefined ? [] : [`${how}: ${names.map(formatName).join(', ')}`]
  if (ambiguity !== undefined)
    return {outcome: 'ambiguous', message: ambiguity, tries: [], assumed, warnings: [...warnings, ...notes]}
  const answers = names.map((name) => explainName(name, setup))
  const outcomes = new Set<Outcome>(answers.map(({outcome}) => outcome))
  const final = answers.find(({outcome}) => outcome === 'tries-all') ?? answers.at(-1)
  const message = final?.message
  return {
    outcome: outcomes.has('tries-all') ? 'tries-all' : (final?.outcome ?? 'error'),
    tries: answers.flatMap((answer) => answer.tries),
    assumed,
    warnings: [...warnings, ...notes, ...answers.flatMap((answer) => answer.warnings)],
    message,
  }
}
