import {isMirrorError} from '../model/index.js'

/** Whether the same request may well succeed a moment later. */
export const isTransient = (error: unknown): boolean =>
  isMirrorError(error) && (error.code === 'UNREACHABLE' || error.code === 'TIMEOUT')
