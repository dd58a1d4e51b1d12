import type {HostKnowledge} from '../../client/host-knowledge.js'
import {smallerBody} from './upload-mode.js'
import type {Setback, TornBody, Upload} from './upload-step.js'

const MiB = 1024 * 1024

/** How far apart two places may be that count as the same: buffers and chance move them. */
const SLACK = MiB
/** Where nothing tells how much is too much, the default of nginx. */
const USUAL_LIMIT = MiB

/**
 * The most that a body should have from now on, where two in a row broke at about the same place: a proxy that finds a body
 * too large may end the connection instead of answering 413. Undefined where it was more likely the link, or smaller bodies
 * make no sense. Pure.
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

/** A setback that may be a limit of the host is taken as one, and kept in mind. */
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
