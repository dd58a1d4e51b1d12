import {isMirrorError, MirrorError, type Advice, type Side} from '../model/index.js'

export const DAMAGED: Advice = {kind: 'find-changing-proxy'}

/** Returns an error about content as the fault of one side, and any other error unchanged. */
export function onSide(
  side: Side,
  error: unknown,
  {reference, advice}: {readonly reference?: string; readonly advice?: Advice} = {},
): unknown {
  if (!isMirrorError(error) || error.side !== undefined || error.code === 'CANCELLED') return error
  const message = reference === undefined ? error.message : `${reference}: ${error.message}`
  return new MirrorError(error.code, message, {side, advice: error.advice ?? advice, cause: error})
}
