import {digestOf} from '@airgap-mirror/oci-client/model'
import {describe, expect, test, vi} from 'vitest'
import type {Passing} from './front.js'
import {at, everything, meet, only, seeded} from './meeting.js'

vi.setConfig({maxConcurrency: 8})

const MiB = 1024 * 1024

describe('a body that never ends', {concurrent: true}, () => {
  const cases: readonly (readonly [string, (passing: Passing) => boolean, string])[] = [
    ['of the first answer', at('GET', /^\/v2\/$/), 'ok'],
    ['of a token', at('GET', /^\/token/), 'LIMIT_EXCEEDED'],
    ['of an answer to POST', at('POST', /uploads/), 'ok'],
    ['of an answer to PATCH', at('PATCH', /./), 'ok'],
    ['of an answer to PUT', at('PUT', /./), 'ok'],
    ['of a refusal', ({method, status}) => method !== 'HEAD' && status >= 400, 'ok'],
    ['of a manifest', at('GET', /manifests/), 'ok'],
  ]
  test.each(cases)('%s costs little', async (_what, is, end) => {
    const meeting = await meet(only(is, {type: 'endless'}))
    expect(meeting.end).toBe(end)
    // A megabyte for each that is read, and what the system's buffers take.
    expect(meeting.written).toBeLessThan(64 * MiB)
  })

  test('of a manifest that is read is an error', async () => {
    const {end, written} = await seeded({type: 'endless'})
    expect(end).toBe('LIMIT_EXCEEDED')
    expect(written).toBeLessThan(32 * MiB)
  })

  test.each(cases.filter(([, , end]) => end === 'ok'))(
    '%s, byte by byte, is not waited for',
    async (_what, is) => {
      const meeting = await meet(only(is, {type: 'endless', ms: 100}), {served: {}})
      expect(meeting.end).toBe('ok')
    },
  )
})

describe('headers', {concurrent: true}, () => {
  const many = (count: number, text: string): readonly string[] =>
    Array.from({length: count}, (_, index) => text.replace('#', String(index)))

  test('without end are an error', async () => {
    const {end, message} = await meet(
      only(everything, {type: 'headers', headers: {'x-flood': many(2000, `# ${'x'.repeat(100)}`)}}),
    )
    expect({end, message}).toMatchObject({
      end: 'PROTOCOL',
      message: expect.stringContaining('headers') as string,
    })
  })

  test('that warn a thousand times are told a hundred times at the most', async () => {
    const {end, warnings} = await meet(
      only(everything, {type: 'headers', headers: {warning: many(1000, '299 - "warning number #"')}}),
    )
    expect(end).toBe('ok')
    expect(warnings.length).toBeGreaterThan(10)
    expect(warnings.length).toBeLessThanOrEqual(100)
  })

  test('with a thousand challenges are no bug', async () => {
    const challenge = `${'Bearer realm="http://127.0.0.1:1/#",'.repeat(3)}${' ,"\\"'.repeat(8)}`
    const {end} = await meet(
      only(({status}) => status === 401, {
        type: 'headers',
        headers: {'www-authenticate': many(500, challenge)},
      }),
    )
    expect(end).not.toMatch(/^bug/)
  })

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['a Location of another scheme', {location: 'file:///etc/passwd'}, 'PROTOCOL'],
    ['a Location with a user name', {location: 'http://evil@127.0.0.1:1/v2/x'}, 'PROTOCOL'],
    ['a Location that is not a URL', {location: 'http://[::/v2/'}, 'PROTOCOL'],
    // Node's own limit in front of the registry answers this one.
    ['a Location of 30,000 characters', {location: `/v2/${'x'.repeat(30_000)}`}, 'PROTOCOL'],
    ['a chunk minimum of a petabyte', {'oci-chunk-min-length': '1000000000000000'}, 'ok'],
    ['a chunk minimum that is no number', {'oci-chunk-min-length': '-1e99'}, 'ok'],
    ['a Range beyond every number', {range: '0-99999999999999999999999'}, 'ok'],
    ['a Range of words', {range: 'bytes 0-0/*, and so on'}, 'ok'],
    ['a digest of another content', {'docker-content-digest': digestOf(Buffer.from('other'))}, 'PROTOCOL'],
  ])('with %s', async (_what, headers, end) => {
    const meeting = await meet(
      only(({method}) => method === 'POST' || method === 'PUT' || method === 'PATCH', {
        type: 'headers',
        headers,
      }),
    )
    expect({end: meeting.end, message: meeting.message}).toMatchObject({end})
  })
})

describe('an answer', {concurrent: true}, () => {
  test.each([
    ['of endless early hints', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n', 'TIMEOUT'],
    ['of endless continues', 'HTTP/1.1 100 Continue\r\n\r\n', /TIMEOUT|PROTOCOL|UNREACHABLE/],
    ['of a header line that never ends', 'x'.repeat(4000), /PROTOCOL|TIMEOUT/],
    ['in another protocol', '220 smtp ready\r\n', 'PROTOCOL'],
    [
      'of an upgrade nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      /PROTOCOL|UNREACHABLE/,
    ],
    [
      'with two lengths',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\n{}',
      /PROTOCOL|UNREACHABLE/,
    ],
    ['shorter than it says', 'HTTP/1.1 401 Unauthorized\r\ncontent-length: 100\r\n\r\nno', /TIMEOUT|AUTH/],
  ])('%s is an error in time', async (_what, bytes, end) => {
    const meeting = await meet(only(everything, {type: 'raw', bytes, times: 1000, ms: 20}), {
      served: {},
      way: (client) => client.ping(),
    })
    expect(meeting.end).toMatch(end)
  })
})
