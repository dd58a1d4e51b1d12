import {randomBytes} from 'node:crypto'
import type {IncomingHttpHeaders} from 'node:http'
import {UploadSession, type BlobWriter} from '@airgap-mirror/cli/server'

/** Legal in a query, and changed by decoding and encoding: which hex digits, what is escaped at all, `;`. */
const FRAGILE = `%2b%2F~'(x)*!;%3d==`

export interface SessionScript {
  /** The scheme and host of an address, from the headers of the request; empty for none. */
  readonly originFor: (headers: IncomingHttpHeaders) => string
  /** The query must come back byte for byte. */
  readonly fragile: boolean
}

/** An upload whose address has a `_state`, as distribution's has, and that counts what the scripted behaviour needs. */
export class ScriptedSession extends UploadSession {
  /** Bytes that came in, those that were thrown away included. */
  received = 0
  /** PATCH requests that were taken. */
  patches = 0
  /** The last PATCH was below the chunk minimum: only a PUT may follow. */
  shortChunk = false
  readonly #script: SessionScript
  readonly #states = new Map<string, number>()

  constructor(repository: string, writer: BlobWriter, script: SessionScript) {
    super(repository, writer)
    this.#script = script
  }

  override location(headers: IncomingHttpHeaders): string {
    const {originFor, fragile} = this.#script
    const state = randomBytes(9).toString('base64url') + (fragile ? FRAGILE : '')
    this.#states.set(state, this.writer.size)
    return `${originFor(headers)}${super.location(headers)}?_state=${state}`
  }

  /** The size when this `_state` was issued; undefined if it never was. */
  sizeAt(state: string): number | undefined {
    return this.#states.get(state)
  }
}
