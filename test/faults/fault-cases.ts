import type {Fault, FaultRule, RequestKind} from '@airgap-mirror/test/registry'

/** The place on the journey where a fault strikes. `whole`: the PUT that carries a small blob and commits it. */
export type Stage =
  | 'token'
  | 'mount'
  | 'start'
  | 'send'
  | 'status'
  | 'commit'
  | 'whole'
  | 'manifest PUT'
  | 'manifest HEAD'
  | 'blob HEAD'

export const stages: readonly Stage[] = [
  'token',
  'mount',
  'start',
  'send',
  'status',
  'commit',
  'whole',
  'manifest PUT',
  'manifest HEAD',
  'blob HEAD',
]

const KINDS: Readonly<Record<Stage, RequestKind>> = {
  token: 'token',
  mount: 'mount',
  start: 'start',
  send: 'send',
  status: 'status',
  commit: 'commit',
  whole: 'commit',
  'manifest PUT': 'manifest-put',
  'manifest HEAD': 'manifest-head',
  'blob HEAD': 'blob-head',
}

export interface FaultCase {
  readonly name: string
  readonly stage: Stage
  /** Made when the case begins: a date in them is about then. */
  readonly rules: () => readonly FaultRule[]
  /** `ok`, or the code of the right error. */
  readonly end: string
  /** Milliseconds that nothing may be asked for after the fault. */
  readonly quiet: number
}

const everywhere: ReadonlySet<Stage> = new Set(stages)
const withBody: ReadonlySet<Stage> = new Set(['send', 'whole', 'manifest PUT'])
const inUploads: ReadonlySet<Stage> = new Set(['start', 'send', 'status', 'commit', 'whole'])
const inSessions: ReadonlySet<Stage> = new Set(['send', 'status', 'commit', 'whole'])
/** An early 201 to a manifest is false, which the client cannot notice before its next question. */
const beforeManifest: ReadonlySet<Stage> = new Set(stages.filter((stage) => stage !== 'manifest PUT'))

interface Kind {
  readonly name: string
  readonly where: ReadonlySet<Stage>
  readonly fault: Fault | ((now: number) => Fault)
  /** Milliseconds that nothing may be asked for after it. */
  readonly quiet?: number
}

function html(text: string): string {
  return `<!doctype html><html><head><style>b{}</style></head><body><h1>${text}</h1></body></html>`
}
function status(code: number, rest: Omit<Extract<Fault, {type: 'status'}>, 'type' | 'status'> = {}): Fault {
  return {
    type: 'status',
    status: code,
    ...rest,
  }
}

const kinds: readonly Kind[] = [
  {name: 'reset before the body', where: everywhere, fault: {type: 'reset-before'}},
  {name: 'reset in the first byte', where: everywhere, fault: {type: 'reset-in-body', after: 1}},
  {name: 'reset in the body', where: withBody, fault: {type: 'reset-in-body', after: 700_000}},
  {name: 'reset after the body', where: everywhere, fault: {type: 'reset-after'}},
  {name: '500', where: everywhere, fault: status(500)},
  {name: '502', where: everywhere, fault: status(502)},
  {name: '502 before the body was read', where: withBody, fault: status(502, {early: true})},
  {name: '503', where: everywhere, fault: status(503)},
  {
    name: '504 as an HTML page',
    where: everywhere,
    fault: status(504, {headers: {'content-type': 'text/html'}, body: html('Gateway Time-out')}),
  },
  {name: '429', where: everywhere, fault: status(429)},
  {
    name: '429 with Retry-After in seconds',
    where: everywhere,
    fault: status(429, {headers: {'retry-after': '1'}}),
    quiet: 1000,
  },
  {
    name: '429 with Retry-After as a date',
    where: everywhere,
    // An HTTP date has no fractions: this is at least a second from now.
    fault: (now) => status(429, {headers: {'retry-after': new Date(now + 2000).toUTCString()}}),
  },
  {name: '401', where: everywhere, fault: {type: 'unauthorized'}},
  {name: '401 before the body was read', where: withBody, fault: {type: 'unauthorized', early: true}},
  {name: '413', where: everywhere, fault: status(413, {body: html('413 Request Entity Too Large')})},
  {name: '416', where: everywhere, fault: status(416)},
  {name: 'silence before the body', where: everywhere, fault: {type: 'stall', at: 'start'}},
  {name: 'silence in the body', where: withBody, fault: {type: 'stall', at: 'body', after: 300_000}},
  {name: 'silence instead of an answer', where: everywhere, fault: {type: 'stall', at: 'response'}},
  {name: 'slow trickle', where: withBody, fault: {type: 'trickle', bytes: 65_536, ms: 10}},
  {
    name: 'slow trickle of the answer',
    where: new Set(['token']),
    fault: {type: 'trickle', bytes: 40, ms: 20},
  },
  {name: 'wrong Range', where: inUploads, fault: {type: 'wrong-range', range: '0-17'}},
  {name: 'no Range', where: inUploads, fault: {type: 'no-range'}},
  {name: 'relative Location', where: inUploads, fault: {type: 'location', form: 'relative'}},
  {name: 'absolute Location', where: inUploads, fault: {type: 'location', form: 'absolute'}},
  {name: 'cross-origin Location', where: inUploads, fault: {type: 'location', form: 'cross-origin'}},
  {name: 'early 201', where: beforeManifest, fault: {type: 'early-201', after: 1000}},
  {name: 'session gone', where: inSessions, fault: {type: 'session-gone'}},
]

/** Single faults that a run cannot survive, and why. All others end well. */
const endsOnce: Readonly<Record<string, string>> = {
  // A refusal of a password is enough: more of them lock the account.
  '401 at token': 'AUTH_FAILED',
  // Answers that no waiting changes are believed.
  '413 at token': 'PROTOCOL',
  '416 at token': 'PROTOCOL',
  'early 201 at token': 'PROTOCOL',
  '413 at start': 'TOO_LARGE',
  '416 at start': 'PROTOCOL',
  '413 at commit': 'TOO_LARGE',
  '413 at whole': 'TOO_LARGE',
  '413 at manifest PUT': 'TOO_LARGE',
  '416 at manifest PUT': 'PROTOCOL',
  // The registry says that it has what it has not: found out when the manifest names it.
  'early 201 at mount': 'BLOB_UNKNOWN',
  'early 201 at commit': 'BLOB_UNKNOWN',
  'early 201 at whole': 'BLOB_UNKNOWN',
}

/** Error codes of lasting faults; `ends` has the exceptions. */
const endsLasting: Readonly<Record<string, string>> = {
  'reset before the body': 'UNREACHABLE',
  'reset in the first byte': 'UNREACHABLE',
  'reset in the body': 'UNREACHABLE',
  'reset after the body': 'UNREACHABLE',
  '500': 'REGISTRY_FAILED',
  '502': 'REGISTRY_FAILED',
  '502 before the body was read': 'REGISTRY_FAILED',
  '503': 'REGISTRY_FAILED',
  '504 as an HTML page': 'REGISTRY_FAILED',
  '429': 'RATE_LIMITED',
  '401': 'AUTH_FAILED',
  '401 before the body was read': 'AUTH_FAILED',
  '413': 'TOO_LARGE',
  '416': 'PROTOCOL',
  'silence before the body': 'TIMEOUT',
  'silence in the body': 'TIMEOUT',
  'silence instead of an answer': 'TIMEOUT',
  'session gone': 'REGISTRY_FAILED',
}

const exceptions: Readonly<Record<string, string>> = {
  '413 at token': 'PROTOCOL',
  // A blob is there although the answer was lost: the client asks and finds it.
  'reset after the body at send': 'ok',
  'reset after the body at commit': 'ok',
  'reset after the body at whole': 'ok',
  'silence instead of an answer at send': 'ok',
  'silence instead of an answer at commit': 'ok',
  'silence instead of an answer at whole': 'ok',
  // Each attempt resumes the previous one.
  'reset in the body at send': 'ok',
  // A status that is not to be had costs the bytes sent before, no more.
  'reset in the first byte at status': 'ok',
  '500 at status': 'ok',
  '401 at status': 'ok',
  '413 at status': 'ok',
  '416 at status': 'ok',
  'silence before the body at status': 'ok',
  'silence instead of an answer at status': 'ok',
  'session gone at status': 'ok',
  // The answer's body is nothing that anybody waits for.
  'reset in the first byte at start': 'ok',
  // After a failed HEAD, a GET finds out.
  ...Object.fromEntries(
    ['500', '502', '503', '504 as an HTML page', '429', '401', '413', '416'].map((name) => [
      `${name} at manifest HEAD`,
      'ok',
    ]),
  ),
}

/** A torn upload, so that its status is asked for. */
const TORN: FaultRule = {match: {kind: 'send'}, fault: {type: 'reset-in-body', after: 1_200_000}}

function ruleFor(stage: Stage, fault: Fault, {times}: {readonly times: number}): readonly FaultRule[] {
  const match = {kind: KINDS[stage]}
  if (stage === 'status') return [TORN, {match, times, fault}]
  return [{match, nth: stage === 'whole' ? 2 : 1, times, fault}]
}

/** Each fault once at each stage that it can affect. */
export function passingFaults(): readonly FaultCase[] {
  return casesOf(kinds, ({name, stage}) => endsOnce[`${name} at ${stage}`] ?? 'ok', {times: 1})
}

/** Each lasting fault. A blob that cannot be mounted is uploaded. */
export function lastingFaults(): readonly FaultCase[] {
  return casesOf(
    kinds.filter(({name}) => endsLasting[name] !== undefined),
    ({name, stage}) =>
      stage === 'mount' ? 'ok' : (exceptions[`${name} at ${stage}`] ?? endsLasting[name] ?? 'ok'),
    {times: Number.POSITIVE_INFINITY},
  )
}

function casesOf(
  chosen: readonly Kind[],
  endOf: (at: {readonly name: string; readonly stage: Stage}) => string,
  {times}: {readonly times: number},
): readonly FaultCase[] {
  return stages.flatMap((stage) =>
    chosen
      .filter(({where}) => where.has(stage))
      .map(({name, fault, quiet}) => ({
        name,
        stage,
        rules: () => ruleFor(stage, typeof fault === 'function' ? fault(Date.now()) : fault, {times}),
        end: endOf({name, stage}),
        quiet: quiet ?? 0,
      })),
  )
}
