import type {HostKnowledge} from '../../client/host-knowledge.js'
import {smallerBody} from './upload-mode.js'
import type {Setback, TornBody, Upload} from './upload-step.js'

const MiB = 1024 * 1024

/** Bytes by which two places may differ and still count as equal: buffers and chance move them. */
const SLACK = MiB
/** The default of nginx, for hosts with an unknown limit. */
const USUAL_LIMIT = MiB

/**
 * Returns a new limit for request bodies if two in a row broke at about the same place. A proxy may end the connection
 * for a body that is too large, instead of answering 413.
 * Returns undefined if the link is the likelier cause, or if smaller bodies make no sense. Pure.
 */
export function limitBehind(
  {first, second}: {readonly first: TornBody | undefined; readonly second: TornBody},
  context: {readonly host: HostKnowledge; readonly chunkSize: 'auto' | number},
): number | undefined {
  if (first === undefined || Math.abs(first.taken - second.taken) > Math.max(SLACK, second.taken / 8))
    return undefined
  const smaller = smallerBody(context.host, {...context, refused: second.length})
  if (smaller === undefined) return undefined
  const place = Math.max(Math.min(first.taken, second.taken), USUAL_LIMIT)
  return Math.min(smaller, place)
}

/** Treats a setback that may be a limit of the host as such a limit, and remembers it. */
export function withLimit(
  {client}: Upload,
  {setback, first}: {readonly setback: Setback; readonly first: TornBody | undefined},
): Setback {
  const second = setback.torn
  const bodyMax = second === undefined ? undefined : limitBehind({first, second}, client)
  if (bodyMax === undefined) return setback
  client.host.bodyMax = bodyMax
  client.warn(`${client.registry} breaks off large requests: blobs are sent in smaller chunks`)
  return {...setback, why: 'adapt'}
}
