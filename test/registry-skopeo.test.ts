import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  addImage,
  lacksTool,
  makeAuthority,
  makeImage,
  makeTempDir,
  ociLayout,
  skopeo,
  writeDirectory,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'

const users = [{name: 'pusher', password: 'a:colon'}]

const modes = [
  ['plain HTTP, anonymous', {}],
  ['basic auth', {auth: {type: 'basic', users}}],
  ['token auth', {auth: {type: 'token', users}}],
  [
    'token auth, distribution 2.8 uploads, relative Locations',
    {auth: {type: 'token', users}, uploads: 'forgetful', locations: 'relative'},
  ],
  ['blobs redirected to another origin', {auth: {type: 'token', users}, redirectBlobs: true}],
] as const

describe.skipIf(lacksTool('skopeo'))('Debian’s skopeo, unmodified', () => {
  let directory: TempDir
  let multi: TestImage
  let docker: TestImage
  let tls: {cert: string; key: string}
  let certDir: string

  beforeAll(async () => {
    directory = await makeTempDir()
    multi = await makeImage({seed: 'multi', platforms: ['linux/amd64', 'linux/arm64/v8'], content: 'random'})
    docker = await makeImage({seed: 'docker', format: 'docker'})
    await writeDirectory(join(directory.path, 'multi'), ociLayout([{image: multi}]))
    const authority = await makeAuthority()
    tls = await authority.issue({hosts: ['127.0.0.1']})
    certDir = join(directory.path, 'certs')
    await mkdir(certDir)
    await writeFile(join(certDir, 'ca.crt'), authority.ca)
  })

  afterAll(() => directory.remove())

  for (const [name, options] of modes) {
    for (const secure of [false, true]) {
      test(`pushes, inspects, lists, pulls and deletes: ${name}${secure ? ', TLS with a private CA' : ''}`, async () => {
        await using registry = await startRegistry({
          ...options,
          exactQuery: false,
          strict: true,
          tls: secure ? tls : undefined,
        })
        const target = `docker://${registry.host}/team/multi`
        const credentials = 'auth' in options ? 'pusher:a:colon' : undefined
        const flags = (side: 'src' | 'dest' | undefined): string[] => {
          const flag = (text: string): string => (side === undefined ? `--${text}` : `--${side}-${text}`)
          return [
            ...(secure ? [flag('cert-dir'), certDir] : [`${flag('tls-verify')}=false`]),
            ...(credentials === undefined ? [] : [flag('creds'), credentials]),
          ]
        }

        await skopeo([
          'copy',
          '--all',
          ...flags('dest'),
          `oci:${join(directory.path, 'multi')}`,
          `${target}:v1`,
        ])

        expect(registry.manifest('team/multi', 'v1')?.digest).toBe(multi.root.descriptor.digest)
        expect(new Set(registry.blobs('team/multi'))).toEqual(
          new Set(multi.blobs.map(({descriptor}) => descriptor.digest)),
        )
        expect(registry.fsck()).toEqual([])
        expect(registry.violations).toEqual([])

        const inspected = JSON.parse(await skopeo(['inspect', ...flags(undefined), '--raw', `${target}:v1`]))
        expect(inspected).toEqual(JSON.parse(Buffer.from(multi.root.bytes).toString()))
        const listed = JSON.parse(await skopeo(['list-tags', ...flags(undefined), target]))
        expect(listed.Tags).toEqual(['v1'])

        const pulled = join(directory.path, `pulled-${registry.host.replace(':', '-')}`)
        await skopeo(['copy', '--all', ...flags('src'), `${target}:v1`, `oci:${pulled}:x`])
        const index = JSON.parse(await readFile(join(pulled, 'index.json'), 'utf8'))
        expect(index.manifests[0].digest).toBe(multi.root.descriptor.digest)

        await skopeo(['delete', ...flags(undefined), `${target}:v1`])
        expect(registry.manifest('team/multi', 'v1')).toBeUndefined()
      })
    }
  }

  test('pulls and pushes Docker schema 2 with its digest', async () => {
    await using registry: TestRegistry = await startRegistry({strict: true, exactQuery: false})
    await using other: TestRegistry = await startRegistry({strict: true, exactQuery: false})
    await addImage(registry, docker, {repository: 'a/docker', tag: 'v2'})
    await skopeo([
      'copy',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      `docker://${registry.host}/a/docker:v2`,
      `docker://${other.host}/b/docker:v2`,
    ])
    expect(other.manifest('b/docker', 'v2')?.digest).toBe(docker.root.descriptor.digest)
    expect(other.manifest('b/docker', 'v2')?.mediaType).toBe(docker.root.descriptor.mediaType)
    expect([...registry.fsck(), ...other.fsck(), ...other.violations]).toEqual([])
  })

  test('is refused without credentials, and with a password that is wrong', async () => {
    await using registry = await startRegistry({auth: {type: 'token', users}})
    const list = ['list-tags', '--tls-verify=false']
    const target = `docker://${registry.host}/a/b`
    await expect(skopeo([...list, target])).rejects.toThrow(/unauthorized|authentication required/i)
    await expect(skopeo([...list, '--creds', 'pusher:wrong', target])).rejects.toThrow(
      /unauthorized|invalid username/i,
    )
  })
})
