import {makeAuthority} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'
import {lastingFaults, passingFaults} from './fault-cases.js'
import {travel, type Outcome} from './journey.js'

const authority = await makeAuthority()
const tls = {authority, pair: await authority.issue({hosts: ['127.0.0.1']})}

/** Requests of a journey in which nothing happens; a test below holds it. */
const UNDISTURBED = 18
/** Extra requests of one fault: questions, cleaning up, another token, and the upload again. */
const ONE_FAULT = 6
/** With two retries, and a body that shrinks from 1.5 MiB to the least. */
const LASTING_FAULT = 18
/** A 503 beside other successes counts as a limiter: ten of them are not counted, each with the questions of an upload. */
const LIMITED = LASTING_FAULT + 5 * 10

test('nothing happens: the fewest requests, and no retry', async () => {
  const {end, requests, retries, wrong} = await travel({rules: []})
  expect({end, requests: requests.length, retries, wrong}).toEqual({
    end: 'ok',
    requests: UNDISTURBED,
    retries: 0,
    wrong: [],
  })
})

describe.each([
  ['plain HTTP', undefined],
  ['TLS', tls],
] as const)('over %s, once', {concurrent: true}, (_scheme, transport) => {
  const cases = passingFaults().map((each) => [`${each.name} at ${each.stage}`, each] as const)
  test.each(cases)('%s', async (name, {rules, end, quiet}) => {
    // Only what asks for a second is given one.
    const patience = name.includes('Retry-After') ? {retryMaxWait: 3000} : {}
    const outcome = await travel({rules: rules(), tls: transport, ...patience})
    expect(outcome).toMatchObject({end})
    // A manifest that the registry refuses for what it lied about came before its content, as far as it can see.
    expect(outcome.wrong).toHaveLength(end === 'BLOB_UNKNOWN' ? 1 : 0)
    expect(outcome.requests.length).toBeLessThanOrEqual(UNDISTURBED + ONE_FAULT)
    expect(quietAfter(outcome)).toBeGreaterThanOrEqual(quiet)
  })
})

describe('for good', {concurrent: true}, () => {
  const cases = lastingFaults().map((each) => [`${each.name} at ${each.stage}`, each] as const)
  test.each(cases)('%s', async (name, {rules, end}) => {
    const outcome = await travel({rules: rules(), retries: 2})
    expect(outcome).toMatchObject({end, wrong: []})
    const most = name.startsWith('503 at ') ? LIMITED : LASTING_FAULT
    expect(outcome.requests.length).toBeLessThanOrEqual(UNDISTURBED + most)
  })
})

/** Milliseconds between the fault's answer and the next request of any kind. */
function quietAfter({requests}: Outcome): number {
  const struck = requests.findIndex(({status, fault}) => fault === 'status' && status === 429)
  const next = requests[struck + 1]
  const at = requests[struck]?.finishedAt
  return next === undefined || at === undefined ? Number.POSITIVE_INFINITY : next.startedAt - at
}
