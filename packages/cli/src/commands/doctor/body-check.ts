import type {BodyAnswer} from '@airgap-mirror/oci-client/internal'
import type {Finding} from './finding.js'

const KiB = 1024
const MiB = 1024 * KiB
/** Above the limit that nginx has unless it is told otherwise. */
const FIRST = 2 * MiB
/** A limit is found to this part of itself. */
const PART = 8

/**
 * Finds the largest request that is taken: sizes are doubled up to `most`, and halved after a refusal. At most four times `most`
 * bytes are sent, each in an upload that is cancelled.
 */
export async function checkBody(send: (size: number) => Promise<BodyAnswer>, most = FIRST): Promise<Finding> {
  const check = 'request size'
  let taken = 0
  let refused = Infinity
  let answer: BodyAnswer = 'taken'
  for (let size = Math.min(FIRST, most); ; size = nextSize({taken, refused, most})) {
    const said = await send(size)
    if (typeof said === 'number') {
      return {check, status: 'note', text: `a request of ${inUnits(size)} was answered ${said}`}
    }
    if (said === 'taken') taken = size
    else {
      refused = size
      answer = said
    }
    const isKnown = refused !== Infinity && refused - taken <= Math.max(refused / PART, 64 * KiB)
    if (taken >= most || isKnown) break
  }
  if (refused === Infinity) {
    const more = most === FIRST ? '; --try-body SIZE tries larger ones' : ''
    return {check, status: 'ok', text: `a request of ${inUnits(taken)} is taken${more}`}
  }
  const how = answer === 'broken' ? 'ends the connection' : 'is refused'
  return {
    check,
    status: 'note',
    text: `a request of ${inUnits(taken)} is taken, and one of ${inUnits(refused)} ${how}`,
    hint: 'Raise the limit of the proxy before the registry (nginx: client_max_body_size 0), or push with a chunk-size below it.',
  }
}

function nextSize({
  taken,
  refused,
  most,
}: {
  readonly taken: number
  readonly refused: number
  readonly most: number
}): number {
  return refused === Infinity ? Math.min(taken * 2, most) : Math.floor((taken + refused) / 2)
}

/** Limits are set in powers of two. */
function inUnits(bytes: number): string {
  return bytes < MiB ? `${Math.round(bytes / KiB)} KiB` : `${Number((bytes / MiB).toFixed(2))} MiB`
}
