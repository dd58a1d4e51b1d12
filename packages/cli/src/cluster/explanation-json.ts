import type {Explanation} from './explanation.js'

const EXPLAIN_SCHEMA = 'mirror.explain/v1'

/** The JSON form, in the order in which it is documented. */
export function explanationJson(explanation: Explanation): object {
  return {schema: EXPLAIN_SCHEMA, ...explanation}
}
