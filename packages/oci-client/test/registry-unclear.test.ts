import {expect, it} from 'vitest'
import {digestOf, isInconclusive} from '#src/model/index.js'
import {staticCredentials} from '#src/auth/static-credentials.js'
import {startScripted} from '../../../test/kit/scripted-server.js'
import {blobOf, connect, methods, noise, useRegistries} from './registry-kit.js'
import type {FaultRule} from '../../../test/registry/index.js'

const start = useRegistries()
const REPO = 'team/app'

function refusing(kind: 'blob-head' | 'manifest-head' | 'manifest-get', status: number): FaultRule {
  return {match: {kind}, times: Infinity, fault: {type: 'status', status}}
}

it.each([400, 401, 403, 405, 412, 501])(
  'a blob whose HEAD is answered %d is uploaded, because POST and PUT decide',
  async (status) => {
    const {served, registry} = await start({faults: [refusing('blob-head', status)]})
    const bytes = noise(10)
    expect((await registry.putBlob(REPO, blobOf(bytes))).how).toBe('uploaded')
    expect(methods(served)).toBe('HEAD POST PUT')
    expect(await served.blob(REPO, digestOf(bytes))).toEqual(bytes)
  },
)

it('a HEAD that is redirected to a store that answers 403 is no answer either', async () => {
  await using store = await startScripted({'*': {status: 403}})
  const location = `${store.origin}/bucket/blob`
  const {registry} = await start({
    faults: [
      {
        match: {kind: 'blob-head'},
        times: Infinity,
        fault: {type: 'status', status: 307, headers: {location}},
      },
    ],
  })
  expect((await registry.putBlob(REPO, blobOf(noise(10)))).how).toBe('uploaded')
})

it('a promised blob that the registry does not show is taken to be there; one that it lacks is not', async () => {
  const promise = {match: {kind: 'commit'}, times: Infinity, fault: {type: 'status', status: 202}} as const
  const hidden = await start({faults: [refusing('blob-head', 403), promise]})
  expect((await hidden.registry.putBlob(REPO, blobOf(noise(10)))).how).toBe('uploaded')
  const lacking = await start({faults: [promise]}, {retries: 0})
  await expect(lacking.registry.putBlob(REPO, blobOf(noise(10)))).rejects.toMatchObject({code: 'PROTOCOL'})
})

it('a refused upload tells the answer to the HEAD before it, too', async () => {
  const {registry} = await start({
    faults: [
      refusing('blob-head', 405),
      {match: {kind: 'start'}, times: Infinity, fault: {type: 'status', status: 403}},
    ],
  })
  await expect(registry.putBlob(REPO, blobOf(noise(10)))).rejects.toMatchObject({
    code: 'DENIED',
    message: expect.stringMatching(/cannot push the blob .* 403 Forbidden \(asked before: .* 405 /),
  })
})

it.each([400, 401, 403, 405, 412])(
  'a manifest that is answered %d is unknown, not absent',
  async (status) => {
    const {served, registry} = await start({
      faults: [refusing('manifest-head', status), refusing('manifest-get', status)],
    })
    const target = {registry: served.host, repository: REPO, tag: 'v1'}
    const error: unknown = await registry.resolve(target).catch((thrown: unknown) => thrown)
    expect(isInconclusive(error)).toBe(true)
    expect(String(error)).toContain(`answered ${status}`)
  },
)

it('a registry that is out of order is not unknown', async () => {
  const {served, registry} = await start(
    {faults: [refusing('manifest-head', 503), refusing('manifest-get', 503)]},
    {retries: 0},
  )
  const target = {registry: served.host, repository: REPO, tag: 'v1'}
  const error: unknown = await registry.resolve(target).catch((thrown: unknown) => thrown)
  expect(isInconclusive(error)).toBe(false)
})

it('a login that is refused for reads is tried once for a write, and decides nothing before', async () => {
  const challenge = {status: 401, headers: {'www-authenticate': 'Basic realm="x"'}}
  await using served = await startScripted({
    '/v2/': {},
    'POST *': ({headers}) =>
      headers.authorization === undefined
        ? challenge
        : {status: 202, headers: {location: '/v2/team/app/blobs/uploads/1'}},
    'PUT *': ({headers}) => (headers.authorization === undefined ? challenge : {status: 201}),
    '*': challenge,
  })
  const credentials = staticCredentials({username: 'bob', password: 'pass:word', origin: 'a flag'})
  await using registry = connect(served.host, {credentials})
  await registry.ping()
  const target = {registry: served.host, repository: REPO, tag: 'v1'}
  const error: unknown = await registry.resolve(target).catch((thrown: unknown) => thrown)
  expect(isInconclusive(error)).toBe(true)
  expect((await registry.putBlob(REPO, blobOf(noise(10)))).how).toBe('uploaded')
  const posts = served.asked.filter(({method}) => method === 'POST')
  expect(posts.at(-1)?.headers.authorization).toBeDefined()
})

it('a login that is refused for reads and for a write is not sent a third time', async () => {
  await using served = await startScripted({
    '/v2/': {},
    '*': {status: 401, headers: {'www-authenticate': 'Basic realm="x"'}},
  })
  const credentials = staticCredentials({username: 'bob', password: 'Wr0ng-secret', origin: 'a flag'})
  await using registry = connect(served.host, {credentials})
  for (const seed of ['one', 'two', 'three'])
    await expect(registry.putBlob(REPO, blobOf(noise(10, seed)))).rejects.toMatchObject({code: 'AUTH_FAILED'})
  const logins = served.asked.filter(({headers}) => headers.authorization !== undefined)
  expect(logins.map(({method}) => method)).toEqual(['HEAD', 'POST'])
})
