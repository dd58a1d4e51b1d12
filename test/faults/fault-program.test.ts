import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  makeAuthority,
  makeImage,
  makeLayers,
  makeTempDir,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest'
import {argv} from '../e2e/argv.js'
import {faultsIn, named, push, writeOciBundle} from '../e2e/push.js'
import {passingFaults, stages, type Stage} from './fault-cases.js'

vi.setConfig({maxConcurrency: 4})

/** Enough of the matrix to see that nothing between it and the program's end undoes what the client does. */
const chosen: Readonly<Record<string, readonly Stage[]>> = {
  'reset before the body': stages,
  'reset after the body': ['commit', 'manifest PUT'],
  '502': ['token', 'start', 'send', 'commit', 'manifest PUT'],
  '429 with Retry-After in seconds': ['start', 'send', 'manifest PUT'],
  '401': ['start', 'send', 'commit', 'manifest PUT'],
  '413': ['send'],
  // A blob that the registry falsely claimed to have is sent again when the manifest is refused.
  'early 201': ['mount', 'commit'],
  'session gone': ['send', 'commit'],
}
const cases = passingFaults().filter(({name, stage}) => chosen[name]?.includes(stage) === true)

describe('a push through one fault ends well', {concurrent: true}, () => {
  const authority = makeAuthority()
  let directory: TempDir
  let images: readonly TestImage[]
  let source: string
  let cacert: string

  beforeAll(async () => {
    directory = await makeTempDir()
    cacert = join(directory.path, 'ca.pem')
    await writeFile(cacert, (await authority).ca)
    const base = await makeLayers({seed: 'base', layers: 1, layerSize: 1_500_000, content: 'random'})
    images = await Promise.all(
      ['zero', 'one', 'two'].map((seed) =>
        makeImage({seed, base, layers: 1, layerSize: 1_500_000, content: 'random'}),
      ),
    )
    source = await writeOciBundle(
      directory.path,
      images.map((image, index) => named(`gcr.io/team/image${index}:v1`, image)),
    )
  })
  afterAll(() => directory.remove())

  test.each(cases.map((each, index) => [each.name, each.stage, index % 2 === 0, each] as const))(
    '%s at %s (over TLS: %s)',
    async (_name, _stage, isSecure, {rules}) => {
      const tls = isSecure ? {tls: await (await authority).issue({hosts: ['127.0.0.1']})} : {}
      await using registry = await startRegistry({
        ...tls,
        auth: {type: 'token', users: [{name: 'pusher', password: 'a:colon'}]},
        faults: rules(),
      })
      const {code, stderr, report} = await push({
        source,
        registry,
        flags: argv`--username pusher --password-stdin --retry-max-wait 2s ${isSecure ? ['--cacert', cacert] : []}`,
        stdin: 'a:colon',
        anywhere: true,
      })
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      expect(registry.requests.filter(({fault}) => fault !== undefined)).not.toEqual([])
      expect(report.images.map(({status}) => status)).toEqual(['pushed', 'pushed', 'pushed'])
      for (const [index, {root}] of images.entries()) {
        expect(registry.manifest(`team/image${index}`, 'v1')?.digest).toBe(root.descriptor.digest)
      }
      // Only an upload session whose opening was never answered cannot be cleaned up.
      expect(faultsIn(registry).filter((text) => !text.includes('upload sessions'))).toEqual([])
      expect(registry.openUploads).toBeLessThanOrEqual(1)
      expect(registry.requests.length).toBeLessThan(60)
    },
  )
})
