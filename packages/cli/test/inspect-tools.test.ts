import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  cleanEnvironment,
  makeImage,
  ociLayout,
  requireTool,
  runChild,
  skopeo,
  tarBytes,
  withTempDir,
  writeDirectory,
} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {inspectPath, named} from './inspect-kit.js'

const NAME = 'quay.io/team/app:v1'

test('bundles that skopeo writes are told apart as far as they can be, with their images and platforms', (context) => {
  requireTool(context, 'skopeo')
  return withTempDir(async (directory) => {
    const at = (name: string): string => join(directory, name)
    const image = await makeImage({seed: 'tools-skopeo', platforms: ['linux/amd64', 'linux/arm64']})
    await writeDirectory(at('layout'), ociLayout([named(NAME, image)]))
    const from = `oci:${at('layout')}:${NAME}`
    await skopeo(['copy', '--quiet', '--all', from, `oci-archive:${at('oci.tar')}:${NAME}`])
    await skopeo([
      'copy',
      '--quiet',
      '--override-arch',
      'arm64',
      from,
      `docker-archive:${at('docker.tar')}:${NAME}`,
    ])
    await skopeo(['copy', '--quiet', '--all', from, `dir:${at('dir')}`])
    const [oci, docker, dir] = await Promise.all(
      ['oci.tar', 'docker.tar', 'dir'].map((name) => inspectPath(at(name))),
    )
    expect(oci?.bundle).toMatchObject({format: 'oci-layout', producer: undefined})
    expect(oci?.images).toMatchObject([
      {name: NAME, kind: 'index', status: 'ok', digest: image.root.descriptor.digest},
    ])
    expect(oci?.totals.platforms).toEqual(['linux/amd64', 'linux/arm64'])
    expect(docker?.bundle).toMatchObject({format: 'docker-archive', producer: 'containers-image'})
    expect(docker?.images).toMatchObject([
      {name: NAME, status: 'ok', id: image.platforms[1]?.config.descriptor.digest},
    ])
    expect(docker?.totals.platforms).toEqual(['linux/arm64'])
    expect(dir?.bundle).toMatchObject({kind: 'directory', format: 'skopeo-dir', producer: 'containers-image'})
    expect(dir?.images).toMatchObject([{named: false, status: 'ok', digest: image.root.descriptor.digest}])
  })
})

test('bundles that podman writes are inspected under their names', (context) => {
  requireTool(context, 'podman')
  return withTempDir(async (directory) => {
    const at = (name: string): string => join(directory, name)
    const images = [
      named(NAME, await makeImage({seed: 'tools-podman'})),
      named('quay.io/team/tool:v2', await makeImage({seed: 'tools-podman-2'})),
    ]
    await mkdir(at('.run'))
    await writeFile(at('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
    const storage = ['--root', at('root'), '--runroot', at('run'), '--storage-driver', 'vfs']
    const podman = async (...args: readonly string[]): Promise<void> => {
      const {code, stderr} = await runChild('podman', [...storage, ...args], {
        env: cleanEnvironment(directory),
      })
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    }
    for (const [index, image] of images.entries()) {
      await writeFile(at(`${index}.tar`), await tarBytes(ociLayout([image])))
      await podman('load', '--quiet', '--signature-policy', at('policy.json'), '--input', at(`${index}.tar`))
    }
    await podman('save', '--quiet', '-m', '--output', at('many.tar'), NAME, 'quay.io/team/tool:v2')
    await podman('save', '--quiet', '--format', 'oci-archive', '--output', at('one.tar'), NAME)
    const many = await inspectPath(at('many.tar'))
    expect(many.bundle).toMatchObject({format: 'docker-archive', producer: 'containers-image'})
    expect(new Map(many.images.map(({name, status}) => [name, status]))).toEqual(
      new Map([
        [NAME, 'ok'],
        ['quay.io/team/tool:v2', 'ok'],
      ]),
    )
    const one = await inspectPath(at('one.tar'))
    expect(one.bundle).toMatchObject({format: 'oci-layout', producer: undefined})
    expect(one.images.map(({name, status}) => [name, status])).toEqual([[NAME, 'ok']])
  })
})
