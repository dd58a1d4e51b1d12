import {isMirrorError, messageOf} from '@airgap-mirror/oci-client/model'
import type {Explanation} from '../explanation.js'
import {judge, type Holds, type Verdict} from './judge.js'

export interface CheckedImage extends Verdict {
  /** The name as it was given. */
  readonly reference: string
  /** Absent if the name cannot be read. */
  readonly explanation?: Explanation
}

export interface CheckOptions {
  readonly explain: (reference: string) => Explanation
  /** Absent: whether the mirror has the images is not asked. */
  readonly holds?: Holds
}

/** Judges one image. A name that no runtime can read fails; it does not end the check of the others. */
export async function checkImage(reference: string, {explain, holds}: CheckOptions): Promise<CheckedImage> {
  let explanation: Explanation
  try {
    explanation = explain(reference)
  } catch (error) {
    if (!isInvalidName(error)) throw error
    return {reference, status: 'fails', reason: messageOf(error)}
  }
  return {reference, ...(await judge(explanation, holds)), explanation}
}

function isInvalidName(error: unknown): boolean {
  return isMirrorError(error) && error.code === 'NAME_INVALID'
}
