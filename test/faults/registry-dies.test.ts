import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {openRegistry, staticCredentials} from '@airgap-mirror/oci-client'
import {
  lacksTool,
  makeAuthority,
  makeImage,
  makeTempDir,
  startDebianRegistry,
  startMirror,
  type Child,
  type DebianRegistry,
  type DebianRegistryOptions,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'
import {argv} from '../e2e/argv.js'
import {named, parseReport, writeOciBundle} from '../e2e/push.js'

const AWAY = 6000
const authority = await makeAuthority()
const tls = await authority.issue({hosts: ['127.0.0.1']})
const login = {username: 'pusher', password: 'a:colon'}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

/** Until the registry has taken its first blob, so that the rest is under way. */
async function firstBlob(registry: DebianRegistry, push: Child): Promise<void> {
  for (let tries = 0; !/PUT \S+\/blobs\/uploads\/.* 201 /.test(registry.log); tries++) {
    if (tries === 200) throw new Error(`no blob arrived:\n${push.stderr}`)
    await later(50)
  }
}

/** Names and digests that the registry, which checked each when it arrived, does not have. */
async function missingAt(
  registry: DebianRegistry,
  images: readonly TestImage[],
  ca: readonly string[],
): Promise<readonly string[]> {
  await using target = openRegistry({
    registry: registry.host,
    side: 'target',
    plainHttp: registry.url.startsWith('http:'),
    tls: {ca},
    credentials: staticCredentials({...login, origin: 'the test'}),
  })
  const missing: string[] = []
  for (const [index, {root, blobs}] of images.entries()) {
    const repository = `night/team/image${index}`
    const tagged = await target.manifest({registry: registry.host, repository, tag: 'v1'})
    if (tagged?.descriptor.digest !== root.descriptor.digest) missing.push(`${repository}:v1`)
    for (const {descriptor} of blobs) {
      if (!(await target.hasBlob(repository, descriptor.digest))) missing.push(descriptor.digest)
    }
  }
  return missing
}

const ways: readonly (readonly [string, DebianRegistryOptions, readonly string[]])[] = [
  ['plain HTTP, one stream a blob', {}, argv`--plain-http`],
  [
    'TLS with a login, in chunks',
    {tls, htpasswd: {[login.username]: login.password}},
    argv`--username ${login.username} --password ${login.password} --chunk-size 1MiB`,
  ],
]

describe.skipIf(lacksTool('docker-registry'))(
  'a docker-registry that is killed in the middle of a push',
  {concurrent: true},
  () => {
    test.each(ways)(
      'and is back some seconds later has everything in the end: %s',
      async (_name, options, flags) => {
        await using directory = await makeTempDir()
        await using registry = await startDebianRegistry({
          ...options,
          httpSecret: 'the same after the restart',
        })
        const cacert = join(directory.path, 'ca.pem')
        await writeFile(cacert, authority.ca)
        const images = await Promise.all(
          ['one', 'two', 'three'].map((seed) =>
            makeImage({seed, layers: 2, layerSize: 3_000_000, content: 'random'}),
          ),
        )
        const source = await writeOciBundle(
          directory.path,
          images.map((image, index) => named(`gcr.io/team/image${index}:v1`, image)),
        )

        const push = await startMirror(
          argv`push --source ${source} --private-registry ${registry.host}/night --json --progress plain
          --limit-rate 4MiB ${flags} ${options.tls === undefined ? [] : ['--cacert', cacert]}`,
        )
        await firstBlob(registry, push)
        await registry.kill('SIGKILL')
        await later(AWAY)
        expect(push.stdout).toBe('')
        await registry.start()
        const {code, stdout, stderr, ms} = await push.result

        expect({code}, `printed: ${stderr}`).toEqual({code: 0})
        expect(ms).toBeGreaterThan(AWAY)
        expect(stderr).toMatch(/^retry in .*127\.0\.0\.1:\d+.* refuses the connection/m)
        const {outcome, totals} = parseReport({stdout, stderr})
        expect(outcome).toBe('ok')
        expect(totals.retries).toBeGreaterThan(0)
        // Eight uploads and one look every few seconds, not eight clients that each find out for themselves.
        expect(totals.retries).toBeLessThan(40)
        expect(await missingAt(registry, images, [authority.ca])).toEqual([])
      },
    )
  },
)
