import {isMirrorError, messageOf} from '@airgap-mirror/oci-client/model'
import type {Answer} from '../explanation.js'

/** An error of the runtime is its answer. A MirrorError is about a file that this program could not read. */
export function answerOr<T>(
  work: () => T,
  {assumed, advice}: {readonly assumed: readonly string[]; readonly advice?: string},
): T | Answer {
  try {
    return work()
  } catch (error) {
    if (isMirrorError(error)) throw error
    const warnings = advice === undefined ? [] : [advice]
    return {outcome: 'error', message: messageOf(error), tries: [], assumed, warnings}
  }
}
