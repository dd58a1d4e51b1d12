import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {createReadStream} from 'node:fs'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {
  lacksTool,
  makeAuthority,
  makeImage,
  makeTempDir,
  ociLayout,
  runChild,
  skopeo,
  startDebianRegistry,
  writeDirectory,
  type DebianRegistry,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {push, type PushResult} from './push.js'

const password = 'correct: horse'

describe.skipIf(lacksTool('skopeo', 'docker-registry', 'xz', 'zstd'))(
  'archives of Debian’s skopeo go into Debian’s docker-registry over TLS with htpasswd',
  () => {
    let directory: TempDir
    let registry: DebianRegistry
    let image: TestImage
    let multi: TestImage
    const at = (name: string): string => join(directory.path, name)
    const pushed = (source: string, namespace: string, flags: readonly string[] = []): Promise<PushResult> =>
      push({
        source,
        registry,
        namespace,
        flags: ['--cacert', at('certs/ca.crt'), '--username', 'pusher', '--password', password, ...flags],
      })
    const shell = async (line: string): Promise<void> => {
      const {code, stderr} = await runChild('/bin/sh', ['-ec', line], {
        cwd: directory.path,
        env: {PATH: process.env['PATH']},
      })
      expect({code, stderr}).toEqual({code: 0, stderr: ''})
    }
    const access = (): string[] => ['--cert-dir', at('certs'), '--creds', `pusher:${password}`]
    /** The manifest's bytes as skopeo sees them, and the digest they have. */
    const inspected = async (reference: string): Promise<string> =>
      digestOf(
        Buffer.from(
          await skopeo(['inspect', ...access(), '--raw', `docker://${registry.host}/${reference}`]),
        ),
      )
    const pulled = async (reference: string, target: string): Promise<string> => {
      const [certs, creds] = [
        ['--src-cert-dir', at('certs')],
        ['--src-creds', `pusher:${password}`],
      ]
      await skopeo(['copy', '--all', ...certs, ...creds, `docker://${registry.host}/${reference}`, target])
      return target
    }

    beforeAll(async () => {
      directory = await makeTempDir()
      const authority = await makeAuthority()
      registry = await startDebianRegistry({
        tls: await authority.issue({hosts: ['127.0.0.1']}),
        htpasswd: {pusher: password},
      })
      await mkdir(at('certs'))
      await writeFile(at('certs/ca.crt'), authority.ca)
      image = await makeImage({seed: 'debian', layers: 3, layerSize: 300_000})
      multi = await makeImage({
        seed: 'debian-multi',
        platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
      })
      const annotated = [image, multi].map((each, index) => ({
        image: each,
        annotations: {'org.opencontainers.image.ref.name': ['one', 'multi'][index] ?? ''},
      }))
      await writeDirectory(at('seed'), ociLayout(annotated))
      await skopeo([
        'copy',
        `oci:${at('seed')}:one`,
        `docker-archive:${at('docker.tar')}:quay.io/team/docker:v1`,
      ])
      await skopeo(['copy', `oci:${at('seed')}:one`, `oci-archive:${at('oci.tar')}:quay.io/team/oci:v1`])
      await skopeo(['copy', `oci:${at('seed')}:one`, `oci:${at('layout')}:quay.io/team/layout:v1`])
      await skopeo(['copy', `oci:${at('seed')}:one`, `dir:${at('plain-dir')}`])
      await skopeo([
        'copy',
        '--all',
        `oci:${at('seed')}:multi`,
        `oci-archive:${at('multi.tar')}:quay.io/team/multi:v1`,
      ])
    })
    afterAll(async () => {
      await registry.stop()
      await directory.remove()
    })

    const compressions = [
      ['plain', 'cp oci.tar plain.tar', 'plain.tar'],
      ['xz of one block', 'xz -kc -T1 oci.tar > single.tar.xz', 'single.tar.xz'],
      ['xz of many blocks', 'xz -kc -T2 --block-size=64KiB oci.tar > many.tar.xz', 'many.tar.xz'],
      ['zstd', 'zstd -qc -19 --long=27 oci.tar > bundle.tar.zst', 'bundle.tar.zst'],
      ['gzip', 'gzip -c oci.tar > bundle.tar.gz', 'bundle.tar.gz'],
      ['xz under another name', 'xz -kc oci.tar > bundle.bin', 'bundle.bin'],
    ] as const
    for (const [name, command, file] of compressions) {
      test(`oci-archive, ${name}: the digest is kept, and skopeo inspects and copies it`, async () => {
        await shell(command)
        const namespace = file.replaceAll('.', '-')

        const {code, stderr, report} = await pushed(at(file), namespace)

        expect({code}, `printed: ${stderr}`).toEqual({code: 0})
        expect(report.images).toMatchObject([{status: 'pushed', digestChanged: false}])
        expect(await inspected(`${namespace}/team/oci:v1`)).toBe(image.root.descriptor.digest)
        const copy = await pulled(`${namespace}/team/oci:v1`, `dir:${at(`copy-${namespace}`)}`)
        const manifest = await readFile(join(copy.slice('dir:'.length), 'manifest.json'))
        expect(digestOf(manifest)).toBe(image.root.descriptor.digest)
      })
    }

    test('oci-archive from standard input', async () => {
      const {code, stderr} = await push({
        source: '-',
        registry,
        namespace: 'stdin',
        flags: ['--cacert', at('certs/ca.crt'), '--username', 'pusher', '--password', password],
        stdin: createReadStream(at('oci.tar')),
      })
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      expect(await inspected('stdin/team/oci:v1')).toBe(image.root.descriptor.digest)
    })

    test('OCI layout as a directory', async () => {
      expect((await pushed(at('layout'), 'layout')).code).toBe(0)
      expect(await inspected('layout/team/layout:v1')).toBe(image.root.descriptor.digest)
    })

    test('dir:, which knows no name, under the name that --map gives', async () => {
      await writeFile(at('map'), `${image.root.descriptor.digest} team/dir:v1\n`)
      expect((await pushed(at('plain-dir'), 'dir', ['--map', at('map')])).code).toBe(0)
      expect(await inspected('dir/team/dir:v1')).toBe(image.root.descriptor.digest)
    })

    test('a multi-arch image keeps its index, byte for byte, and every platform', async () => {
      await shell('xz -kc multi.tar > multi.tar.xz')
      expect((await pushed(at('multi.tar.xz'), 'many')).code).toBe(0)
      const raw = await skopeo([
        'inspect',
        ...access(),
        '--raw',
        `docker://${registry.host}/many/team/multi:v1`,
      ])
      expect(raw).toBe(Buffer.from(multi.root.bytes).toString())
      const layout = await pulled('many/team/multi:v1', `oci:${at('multi-copy')}:x`)
      const copied = layout.replace(/^oci:(.*):x$/, '$1')
      for (const {descriptor} of [...multi.manifests, ...multi.blobs]) {
        const bytes = await readFile(join(copied, 'blobs', ...descriptor.digest.split(':')))
        expect(digestOf(bytes)).toBe(descriptor.digest)
      }
    })

    test('docker-archive: the same digest every time, whatever the concurrency; the second push sends nothing', async () => {
      await shell('xz -kc docker.tar > docker.tar.xz')
      const first = await pushed(at('docker.tar.xz'), 'docker')
      const again = await pushed(at('docker.tar.xz'), 'docker')
      const alone = await pushed(at('docker.tar.xz'), 'docker-alone', ['--concurrency', '1'])
      const plain = await pushed(at('docker.tar'), 'docker-plain')

      expect([first, again, alone, plain].map(({code}) => code)).toEqual([0, 0, 0, 0])
      expect(again.report.images[0]?.status).toBe('present')
      expect(again.report.totals.bytes.uploaded).toBe(0)
      const digest = await inspected('docker/team/docker:v1')
      for (const {report} of [first, again, alone, plain]) {
        expect(report.images[0]).toMatchObject({targetDigest: digest, digestChanged: true})
        expect(report.images[0]?.reason).toBeTruthy()
      }
      expect(await inspected('docker-alone/team/docker:v1')).toBe(digest)
    })

    test('docker-archive: skopeo pulls it, and its config and plain layers are those that went in', async () => {
      expect((await pushed(at('docker.tar'), 'back')).code).toBe(0)
      await pulled('back/team/docker:v1', `docker-archive:${at('back.tar')}:quay.io/team/docker:v1`)
      await shell('mkdir back && tar -xf back.tar -C back')
      const [item] = JSON.parse(await readFile(at('back/manifest.json'), 'utf8')) as [
        {Config: string; Layers: string[]},
      ]
      const [platform] = image.platforms
      const digests = await Promise.all(
        [item.Config, ...item.Layers].map(async (path) => digestOf(await readFile(join(at('back'), path)))),
      )
      expect(digests.slice(1)).toEqual(platform?.layers.map(({diffId}) => diffId))
      expect(digests[0]).toBe(platform?.config.descriptor.digest)
    })

    test('a wrong password and an unknown authority leave nothing behind', async () => {
      const wrong = await push({
        source: at('oci.tar'),
        registry,
        namespace: 'nothing',
        flags: ['--cacert', at('certs/ca.crt'), '--username', 'pusher', '--password', 'wrong'],
      })
      const untrusted = await push({
        source: at('oci.tar'),
        registry,
        namespace: 'nothing',
        flags: ['--username', 'pusher', '--password', password],
      })
      expect([wrong.code, untrusted.code]).toEqual([1, 1])
      expect(untrusted.stderr).toContain('--cacert')
      await expect(inspected('nothing/team/oci:v1')).rejects.toThrow(/manifest unknown|name unknown/)
    })
  },
)
