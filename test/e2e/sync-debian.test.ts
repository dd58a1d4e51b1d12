import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {
  lacksTool,
  makeAuthority,
  makeImage,
  makeTempDir,
  ociLayout,
  runMirror,
  skopeo,
  startDebianRegistry,
  startDockerTokens,
  startProxy,
  writeDirectory,
  type DebianRegistry,
  type DockerTokens,
  type TempDir,
  type TestImage,
  type TestProxy,
} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import {withReport, type Synced} from './sync.js'

const password = 'a pass-phrase'
/** Only the proxies know them. */
const SECURED = 'secured.beyond.invalid'
const PLAIN = 'plain.beyond.invalid'

describe.skipIf(lacksTool('skopeo', 'docker-registry'))(
  'between two of Debian’s docker-registry: TLS and tokens on one side, plain HTTP on the other, proxies between',
  () => {
    let home: TempDir
    let tokens: DockerTokens
    let secured: DebianRegistry
    let plain: DebianRegistry
    let proxy: TestProxy
    let other: TestProxy
    const images: Record<string, TestImage> = {}
    const at = (name: string): string => join(home.path, name)

    beforeAll(async () => {
      home = await makeTempDir()
      const authority = await makeAuthority()
      await writeFile(at('ca.pem'), authority.ca)
      await writeFile(at('password'), password)
      const tls = await authority.issue({hosts: [SECURED, '127.0.0.1']})
      tokens = await startDockerTokens({
        keys: await authority.issue({hosts: ['tokens']}),
        tls,
        users: {robot: password},
      })
      const {realm, service, issuer} = tokens
      secured = await startDebianRegistry({tls, tokens: {realm, service, issuer, ca: authority.ca}})
      plain = await startDebianRegistry()
      const names = {[`${SECURED}:443`]: secured.host, [`${PLAIN}:80`]: plain.host}
      proxy = await startProxy({names})
      other = await startProxy({names})
      images['one'] = await makeImage({seed: 'debian-one', layers: 3, layerSize: 300_000})
      images['many'] = await makeImage({
        seed: 'debian-many',
        platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
      })
      await writeDirectory(
        at('layout'),
        ociLayout(
          Object.entries(images).map(([name, image]) => ({
            image,
            annotations: {'org.opencontainers.image.ref.name': name},
          })),
        ),
      )
      for (const name of Object.keys(images)) {
        for (const [to, creds] of [
          [`${secured.host}/team/${name}:v1`, ['--dest-creds', `robot:${password}`]],
          [`${plain.host}/team/${name}:v1`, []],
        ] as const) {
          const flags = ['--quiet', '--all', '--dest-tls-verify=false', ...creds]
          await skopeo(['copy', ...flags, `oci:${at('layout')}:${name}`, `docker://${to}`])
        }
      }
    })
    afterAll(async () => {
      await Promise.all([secured.stop(), plain.stop()])
      await Promise.all([proxy, other, tokens].map((one) => one[Symbol.asyncDispose]()))
      await home.remove()
    })

    const sync = async (from: string, flags: readonly string[]): Promise<Synced> => {
      const list = at(`${from}.txt`)
      await writeFile(
        list,
        Object.keys(images)
          .map((name) => `${from}/team/${name}:v1\n`)
          .join(''),
      )
      return withReport(await runMirror(argv`sync --images ${list} --json ${flags}`, {home: home.path}))
    }
    /** As skopeo finds them, having looked at everything below. */
    const expectThere = async (place: string, creds: readonly string[]): Promise<void> => {
      for (const [name, image] of Object.entries(images)) {
        const reference = `docker://${place}/team/${name}:v1`
        const raw = await skopeo(['inspect', '--raw', '--tls-verify=false', ...creds, reference])
        expect(digestOf(Buffer.from(raw))).toBe(image.root.descriptor.digest)
        const into = `dir:${at(`looked-${place.split('/').at(-1) ?? ''}-${name}`)}`
        const from = creds.map((flag) => flag.replace('--creds', '--src-creds'))
        await skopeo(['copy', '--quiet', '--all', '--src-tls-verify=false', ...from, reference, into])
      }
    }
    const targets = (proxied: TestProxy): readonly string[] => [
      ...new Set(proxied.requests.map(({target}) => target)),
    ]

    test('out of the one with TLS and tokens, by its proxy, into the plain one, directly', async () => {
      const {code, stderr, report} = await sync(
        SECURED,
        argv`--private-registry ${plain.host}/from-secured --plain-http
          --source-proxy ${proxy.url} --source-cacert ${at('ca.pem')}
          --source-username robot --source-password ${password}`,
      )
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      expect(report.images).toMatchObject(
        Object.values(images).map(({root: {descriptor}}) => ({
          status: 'pushed',
          sourceDigest: descriptor.digest,
          targetDigest: descriptor.digest,
          digestChanged: false,
        })),
      )
      await expectThere(`${plain.host}/from-secured`, [])
      expect(targets(proxy)).toEqual([`${SECURED}:443`])
      expect(tokens.given).toContain('repository:team/many:pull')
    })

    test('out of the plain one, directly, into the one with TLS and tokens, by its proxy', async () => {
      const {code, stderr} = await sync(
        plain.host,
        argv`--private-registry ${SECURED}/from-plain --proxy ${other.url} --cacert ${at('ca.pem')}
          --source-plain-http --username robot --password ${password}`,
      )
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      await expectThere(`${secured.host}/from-plain`, ['--creds', `robot:${password}`])
      expect(targets(other)).toEqual([`${SECURED}:443`])
    })

    test('a proxy for each side', async () => {
      const {code, stderr} = await sync(
        SECURED,
        argv`--private-registry ${PLAIN}/both --proxy ${other.url} --plain-http
          --source-proxy ${proxy.url} --source-cacert ${at('ca.pem')}
          --source-username robot --source-password ${password}`,
      )
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      await expectThere(`${plain.host}/both`, [])
      expect(targets(other)).toContain(`${PLAIN}:80`)
    })

    test('a second night sends nothing, and logs in as the registry asks', async () => {
      const flags = argv`--private-registry ${plain.host}/from-secured --plain-http
        --source-proxy ${proxy.url} --source-cacert ${at('ca.pem')} --source-username robot`
      const {code, report} = await sync(SECURED, [...flags, '--source-password', password])
      expect(code).toBe(0)
      expect(report.images.map(({status}) => status)).toEqual(['present', 'present'])
      const wrong = await sync(SECURED, [...flags, '--source-password', 'wrong'])
      expect(wrong.code).toBe(1)
      expect(wrong.stderr).toMatch(/^error: source: .*secured\.beyond\.invalid/m)
      expect(wrong.stderr).not.toContain('error: target')
    })

    test('no token and no password is in what is said or written', async () => {
      const {code, stdout, stderr} = await sync(
        SECURED,
        argv`--private-registry ${plain.host}/verbose --plain-http --verbose --report ${at('report.json')}
          --source-proxy ${proxy.url} --source-cacert ${at('ca.pem')}
          --source-username robot --source-password ${password}`,
      )
      expect(code).toBe(0)
      expect(stderr).toMatch(/^GET https:\/\/127\.0\.0\.1:\d+\/token\?.* 200 \d+ ms$/m)
      const output = [stdout, stderr, await readFile(at('report.json'), 'utf8')].join('\n')
      const secrets = [password, Buffer.from(`robot:${password}`).toString('base64'), ...tokens.tokens]
      expect(secrets.filter((secret) => output.includes(secret))).toEqual([])
    })
  },
)
