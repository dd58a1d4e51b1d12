import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {join} from 'node:path'
import {
  cleanEnvironment,
  dockerArchive,
  lacksTool,
  makeImage,
  makeLayers,
  makeTempDir,
  runChild,
  skopeo,
  startDebianRegistry,
  writeTar,
  type DebianRegistry,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {push} from './push.js'

const names = ['docker.io/library/one:v1', 'quay.io/team/two:v2']

describe.skipIf(lacksTool('podman', 'skopeo', 'docker-registry'))(
  'archives that Debian’s podman saves',
  () => {
    let directory: TempDir
    let registry: DebianRegistry
    let ids: readonly string[]
    const at = (name: string): string => join(directory.path, name)
    const podman = async (...args: readonly string[]): Promise<string> => {
      const storage = ['--root', at('root'), '--runroot', at('run'), '--storage-driver', 'vfs']
      const policy = args[0] === 'load' ? ['--signature-policy', at('policy.json')] : []
      const [command = '', ...rest] = args
      const {code, stdout, stderr} = await runChild('podman', [...storage, command, ...policy, ...rest], {
        env: cleanEnvironment(directory.path),
      })
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      return stdout
    }

    beforeAll(async () => {
      directory = await makeTempDir()
      registry = await startDebianRegistry()
      await runChild(
        '/bin/sh',
        ['-c', `echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$0"`, at('policy.json')],
        {
          env: cleanEnvironment(directory.path),
        },
      )
      const base = await makeLayers({seed: 'podman-base', layers: 1, layerSize: 200_000})
      for (const [index, name] of names.entries()) {
        const image = await makeImage({
          seed: `podman-${index}`,
          layers: 1,
          layerSize: 50_000,
          base,
          format: 'docker',
        })
        await writeTar(at(`${index}.tar`), dockerArchive([{image, tags: [name]}]))
        await podman('load', '--quiet', '--input', at(`${index}.tar`))
      }
      ids = (await podman('image', 'inspect', '--format', '{{.Id}}', ...names)).trim().split('\n')
    })
    afterAll(async () => {
      await registry.stop()
      await directory.remove()
    })

    /** The config a registry's image has, by which podman knows it. */
    const configOf = async (reference: string): Promise<string> => {
      const raw = await skopeo([
        'inspect',
        '--raw',
        '--tls-verify=false',
        `docker://${registry.host}/${reference}`,
      ])
      return (JSON.parse(raw) as {config: {digest: string}}).config.digest
    }

    test('with --multi-image-archive: every image arrives, with its config, and shared layers once', async () => {
      await podman('save', '--quiet', '--multi-image-archive', '--output', at('many.tar'), ...names)
      const {code, report} = await push({source: at('many.tar'), registry, namespace: 'many'})
      expect(code).toBe(0)
      expect(report.images.map(({source}) => source).toSorted()).toEqual(names.toSorted())
      expect(report.totals.blobs.mounted).toBe(1)
      expect(await configOf('many/library/one:v1')).toBe(`sha256:${ids[0]}`)
      expect(await configOf('many/team/two:v2')).toBe(`sha256:${ids[1]}`)
    })

    test('as oci-archive: the digest is the one podman wrote', async () => {
      await podman('save', '--quiet', '--format', 'oci-archive', '--output', at('oci.tar'), names[0] ?? '')
      const {code, report} = await push({source: at('oci.tar'), registry, namespace: 'oci'})
      expect(code).toBe(0)
      expect(report.images).toMatchObject([{status: 'pushed', digestChanged: false}])
      expect(report.images[0]?.targetDigest).toBe(report.images[0]?.sourceDigest)
    })
  },
)
