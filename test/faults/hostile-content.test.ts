import zlib from 'node:zlib'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {startRegistry} from '@airgap-mirror/test/registry'
import {describe, expect, test, vi} from 'vitest'
import type {Passing, Twist} from './front.js'
import {manifest, REPOSITORY} from './journey.js'
import {at, auth, meet, only, pull, pullByDigest, seeded} from './meeting.js'

vi.setConfig({maxConcurrency: 8})

const MiB = 1024 * 1024

describe('content on its way here', {concurrent: true}, () => {
  const gzip = {'content-encoding': 'gzip'}
  test.each<[string, Twist, typeof pull, string]>([
    ['one bit of it changed', {type: 'body', change: flipped}, pull, 'DIGEST_MISMATCH'],
    [
      'one bit of it changed, asked for by digest',
      {type: 'body', change: flipped},
      pullByDigest,
      'DIGEST_MISMATCH',
    ],
    [
      'one bit of it changed, and no digest told',
      {type: 'body', change: flipped, headers: {'docker-content-digest': ''}},
      pullByDigest,
      'DIGEST_MISMATCH',
    ],
    [
      'another manifest with its right digest',
      {type: 'body', change: () => OTHER, headers: {'docker-content-digest': digestOf(OTHER)}},
      pullByDigest,
      'DIGEST_MISMATCH',
    ],
    ['compressed, unasked', {type: 'body', change: (body) => zlib.gzipSync(body), headers: gzip}, pull, 'ok'],
    [
      '64 MiB in 64 KiB',
      {type: 'body', change: () => zlib.gzipSync(Buffer.alloc(64 * MiB)), headers: gzip},
      pull,
      'LIMIT_EXCEEDED',
    ],
    ['over the limit', {type: 'body', change: () => Buffer.alloc(5 * MiB, ' ')}, pull, 'LIMIT_EXCEEDED'],
    [
      'nested without end',
      {type: 'body', change: () => NESTED, headers: {'docker-content-digest': ''}},
      pull,
      'LIMIT_EXCEEDED',
    ],
  ])('%s', async (_what, twist, way, end) => {
    const meeting = await seeded(twist, way)
    expect({end: meeting.end, message: meeting.message}).toMatchObject({end})
  })
})

describe('a redirect', {concurrent: true}, () => {
  const isUpload = ({method}: Passing): boolean => method === 'POST' || method === 'PATCH' || method === 'PUT'
  const isRead = at('GET', /manifests/)
  const redirects: readonly (readonly [string, number, (passing: Passing) => boolean])[] = [
    301, 302, 303, 307, 308,
  ].flatMap((status) => [
    [`${status} of what is read`, status, isRead] as const,
    [`${status} of HEAD`, status, ({method}: Passing) => method === 'HEAD'] as const,
    [`${status} of what is sent`, status, isUpload] as const,
  ])
  test.each(redirects)('%s to another origin takes no credential along', async (_what, status, is) => {
    await using elsewhere = await startRegistry()
    const location = `${elsewhere.url}/v2/${REPOSITORY}/manifests/v1?stolen=1`
    const {end} = await meet(only(is, {type: 'status', status, headers: {location}}))
    expect(end).not.toMatch(/^bug/)
    expect(elsewhere.requests.filter(({authorization}) => authorization !== undefined)).toEqual([])
    expect(
      elsewhere.requests.filter(({headers}) => 'cookie' in headers || 'proxy-authorization' in headers),
    ).toEqual([])
  })

  test('to itself for ever is an error', async () => {
    const {end, registry} = await meet(
      only(({method}) => method === 'HEAD', {
        type: 'status',
        status: 302,
        headers: {location: '/v2/team/app/manifests/v1'},
      }),
    )
    expect(end).toBe('PROTOCOL')
    expect(registry.requests.length).toBeLessThan(30)
  })
})

describe('a token server at another host', {concurrent: true}, () => {
  test('that answers every login with a redirect gets one login and passes none on', async () => {
    await using elsewhere = await startRegistry()
    const headers = {location: `${elsewhere.url}/token`}
    const {end} = await meet(only(at('GET', /^\/token/), {type: 'status', status: 307, headers}))
    expect(end).toBe('PROTOCOL')
    expect(elsewhere.requests).toEqual([])
  })

  test('that the registry names in a second challenge, after a token was refused, is asked for no more than a token', async () => {
    await using elsewhere = await startRegistry({auth})
    const challenge = `Bearer realm="${elsewhere.url}/token",service="x"`
    const {end, registry} = await meet(
      only(({status}) => status === 401, {type: 'headers', headers: {'www-authenticate': challenge}}),
    )
    // Its tokens mean nothing to the registry: the login is refused, without a loop.
    expect(end).toBe('AUTH_FAILED')
    expect(elsewhere.requests.length).toBeLessThan(10)
    expect(registry.requests.length).toBeLessThan(20)
  })
})

const OTHER = Buffer.from(manifest.bytes.toString().replace('{', '{ '))
const NESTED = Buffer.from(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`)

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body)
  copy[copy.length - 2] = (copy.at(-2) ?? 0) ^ 1
  return copy
}
