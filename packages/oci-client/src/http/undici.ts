import type {Send} from './send.js'
import type {RegistryOptions} from '../options.js'

export interface Transport {
  /** One exchange over the wire, with no retry, no credential and no redirect. */
  readonly send: Send
  /** Ends all connections, those in use as well. */
  close(): Promise<void>
}

/** @throws {MirrorError} CERTIFICATE_INVALID, CONFIG_INVALID for what the options say */
export const createTransport = (_options: RegistryOptions): Transport => {
  throw new Error('not yet')
}
