import {isMirrorError, MirrorError} from '../model/index.js'

export const DAMAGED = 'The registry is damaged, or something between here and it changes what is sent.'

/** What was found out about content, told as the source's fault; anything else as it is. */
export function atSource(
  error: unknown,
  {reference, hint}: {readonly reference?: string; readonly hint?: string} = {},
): unknown {
  if (!isMirrorError(error) || error.side !== undefined || error.code === 'CANCELLED') return error
  const message = reference === undefined ? error.message : `${reference}: ${error.message}`
  return new MirrorError(error.code, message, {side: 'source', hint: error.hint ?? hint, cause: error})
}
