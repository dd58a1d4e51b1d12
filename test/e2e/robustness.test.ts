import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {makeAuthority, makeImage, makeTempDir, type TempDir, type TestImage} from '@airgap-mirror/test/kit'
import {startRegistry, type FaultRule, type RegistryOptions} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn, named, push, writeOciBundle} from './push.js'

/** Faults, each of which a retry mends. */
const cases: readonly {
  readonly name: string
  readonly fault: FaultRule
  readonly options?: RegistryOptions
}[] = [
  {
    name: '503 with Retry-After to the greeting',
    fault: {match: {kind: 'ping'}, fault: {type: 'status', status: 503, headers: {'Retry-After': '1'}}},
  },
  {
    name: '429 to a manifest’s HEAD',
    fault: {match: {kind: 'manifest-head'}, fault: {type: 'status', status: 429}},
  },
  {
    name: 'a reset in the middle of a layer',
    fault: {match: {kind: ['send', 'commit']}, fault: {type: 'reset-in-body', after: 10_000}},
  },
  {
    name: 'the same, where the session is gone with the connection',
    fault: {match: {kind: ['send', 'commit']}, fault: {type: 'reset-in-body', after: 10_000}},
    options: {uploads: 'deleting'},
  },
  {
    name: 'an answer to a commit that gets lost',
    fault: {match: {kind: 'commit'}, fault: {type: 'reset-after'}},
  },
  {
    name: 'an upload session that is forgotten',
    fault: {match: {kind: ['send', 'commit']}, fault: {type: 'session-gone'}},
  },
  {
    name: '500 to a manifest',
    fault: {match: {kind: 'manifest-put'}, fault: {type: 'status', status: 500}},
  },
  {
    name: 'a token that is void in the middle',
    fault: {match: {kind: 'commit'}, fault: {type: 'unauthorized'}},
    options: {auth: {type: 'token', users: [], anonymous: 'push'}},
  },
]

describe('a push goes on after', () => {
  let directory: TempDir
  let image: TestImage
  let source: string

  beforeAll(async () => {
    directory = await makeTempDir()
    image = await makeImage({seed: 'robust', layerSize: 60_000, content: 'random'})
    source = await writeOciBundle(directory.path, [named('gcr.io/team/app:v1', image)])
  })
  afterAll(() => directory.remove())

  test.each(cases)('$name', async ({fault: rule, options}) => {
    await using registry = await startRegistry({...options, strict: true, faults: [rule]})
    const {code, stderr, report} = await push({source, registry})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(report.images[0]).toMatchObject({status: 'pushed', targetDigest: image.root.descriptor.digest})
    expect(registry.requests.filter(({fault}) => fault !== undefined)).toHaveLength(1)
    expect(registry.fsck()).toEqual([])
    expect(registry.violations).toEqual([])
  })

  test('an outage of two seconds', async () => {
    await using registry = await startRegistry({strict: true, latency: 30})
    const pushing = push({source, registry})
    while (registry.requests.length < 3) {
      await new Promise((resolve) => {
        setTimeout(resolve, 5)
      })
    }
    await registry.goDown()
    await new Promise((resolve) => {
      setTimeout(resolve, 2000)
    })
    await registry.comeBack()
    const {code, stderr} = await pushing
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(stderr).toMatch(/^retry in /m)
    expect(registry.fsck()).toEqual([])
  })

  test('an untrusted certificate with --insecure-skip-tls-verify, with a warning, even when quiet', async () => {
    const authority = await makeAuthority('stranger')
    await using registry = await startRegistry({
      tls: await authority.issue({hosts: ['elsewhere']}),
      strict: true,
    })
    const {code, stderr} = await push({source, registry, flags: argv`--insecure-skip-tls-verify --quiet`})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(stderr).toMatch(/^warning: the certificate of \S+ is not checked\n$/)
    expect(faultsIn(registry)).toEqual([])
  })

  test('a warning that the registry sends', async () => {
    const headers = {warning: '299 - "this repository is deprecated"'}
    await using registry = await startRegistry({
      strict: true,
      faults: [{match: {kind: 'manifest-put'}, fault: {type: 'headers', headers}}],
    })
    const {code, stderr} = await push({source, registry, flags: argv`--quiet`})
    expect(code).toBe(0)
    expect(stderr).toMatch(/^warning: .*this repository is deprecated/m)
  })

  test('its own earlier half: what is there is not sent again', async () => {
    await using registry = await startRegistry({
      strict: true,
      faults: [{match: {kind: 'manifest-put'}, times: 100, fault: {type: 'status', status: 403}}],
    })
    await push({source, registry, flags: argv`--retries 0`})
    registry.setFaults([])
    registry.clearLog()
    const {code, report} = await push({source, registry})
    expect(code).toBe(0)
    expect(report.totals.blobs).toEqual({uploaded: 0, mounted: 0, present: 3})
    expect(registry.commits).toEqual([])
  })
})
