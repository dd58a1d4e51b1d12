import {isMirrorError, MirrorError, type Side} from '../model/index.js'

export const DAMAGED = 'The registry is damaged, or something between here and it changes what is sent.'

/** An error about content, told as the fault of one side; any other error unchanged. */
export function onSide(
  side: Side,
  error: unknown,
  {reference, hint}: {readonly reference?: string; readonly hint?: string} = {},
): unknown {
  if (!isMirrorError(error) || error.side !== undefined || error.code === 'CANCELLED') return error
  const message = reference === undefined ? error.message : `${reference}: ${error.message}`
  return new MirrorError(error.code, message, {side, hint: error.hint ?? hint, cause: error})
}
