import type {ProbeAnswer} from './probe-answer.js'
import type {Explanation, Try} from './explanation.js'

const EXPLAIN_SCHEMA = {$schema: 'urn:mirror:explain:v1', schema: 'mirror.explain/v1'}

/** The JSON form, in the order in which it is documented; with the answers to the tries if they were asked. */
export function explanationJson(explanation: Explanation, answers?: readonly ProbeAnswer[]): object {
  const tries = explanation.tries.map((one, index) => tryJson(one, answers?.[index]))
  return {...EXPLAIN_SCHEMA, ...explanation, tries}
}

function tryJson({login: _secret, ...one}: Try, answer: ProbeAnswer | undefined): object {
  return answer === undefined ? one : {...one, answer}
}
