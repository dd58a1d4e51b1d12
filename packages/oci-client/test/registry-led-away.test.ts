import {expect, it} from 'vitest'
import {startScripted} from '../../../test/kit/scripted-server.js'
import {makeAuthority} from '../../../test/kit/tls.js'
import {blobOf, connect, noise, useRegistries} from './registry-kit.js'
import type {FaultRule} from '../../../test/registry/index.js'

const start = useRegistries()
const REPO = 'team/app'

function leadingTo(value: string): readonly FaultRule[] {
  return [{match: {kind: 'start'}, times: Infinity, fault: {type: 'location', form: 'exactly', value}}]
}

const UPLOAD = '/v2/team/app/blobs/uploads/1'

it('a Location with a name that only the registry knows says which registry named it', async () => {
  const {served, registry} = await start(
    {faults: leadingTo(`http://registry.invalid:5000${UPLOAD}`)},
    {retries: 0},
  )
  await expect(registry.putBlob(REPO, blobOf(noise(10)))).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: `${served.host} names http://registry.invalid:5000 for the upload: the name registry.invalid is not known`,
    advice: {kind: 'correct-forwarded-host'},
  })
})

it('a Location with https at a port that speaks HTTP gives no advice to use plain HTTP, which is in use', async () => {
  const own = await start()
  own.served.setFaults(leadingTo(`https://${own.served.host}${UPLOAD}`))
  await using registry = connect(own.served.host, {retries: 0})
  await expect(registry.putBlob(REPO, blobOf(noise(10)))).rejects.toMatchObject({
    message: expect.stringContaining(`${own.served.host} names https://${own.served.host} for the upload: `),
    advice: {kind: 'correct-forwarded-host'},
  })
})

it('a Location from https to the plain HTTP of another name is refused, with the registry that gave it', async () => {
  const authority = await makeAuthority()
  const {served} = await start({
    tls: await authority.issue({hosts: ['127.0.0.1']}),
    faults: leadingTo(`http://registry:5000${UPLOAD}`),
  })
  await using registry = connect(served.host, {plainHttp: false, tls: {ca: [authority.ca]}, retries: 0})
  await expect(registry.putBlob(REPO, blobOf(noise(10)))).rejects.toMatchObject({
    code: 'PROTOCOL',
    message: `${served.host} leads on to http://registry:5000${UPLOAD}: it leads from https to plain http`,
    advice: {kind: 'correct-forwarded-host'},
    side: 'target',
  })
})

it.each([401, 404])('a host that answers %d to an upload it knows nothing of is named', async (status) => {
  await using other = await startScripted({'*': {status}})
  const {served, registry} = await start({faults: leadingTo(`${other.origin}${UPLOAD}`)}, {retries: 0})
  await expect(registry.putBlob(REPO, blobOf(noise(10)))).rejects.toMatchObject({
    message: expect.stringContaining(`(at ${other.origin}, which ${served.host} names for the upload)`),
    advice: {kind: 'correct-forwarded-host'},
  })
})

it('a source that redirects to a registry with tokens of its own says which host wants a login, and sends none', async () => {
  await using other = await startScripted({
    '*': {
      status: 401,
      headers: {'www-authenticate': 'Bearer realm="https://tokens.invalid/token",service="other"'},
    },
  })
  await using source = await startScripted(({path}) => ({
    status: 307,
    headers: {location: `${other.origin}${path}`},
  }))
  await using registry = connect(source.host, {side: 'source', retries: 0})
  const target = {registry: source.host, repository: REPO, tag: 'v1'}
  await expect(registry.resolve(target)).rejects.toMatchObject({
    code: 'AUTH_REQUIRED',
    message: expect.stringContaining(`${other.host}, to which ${source.host} redirects, answered 401`),
    advice: {kind: 'login-not-redirected', host: other.host},
  })
  expect(other.asked.length).toBeGreaterThan(0)
  expect(other.asked.every(({headers}) => headers.authorization === undefined)).toBe(true)
})
