import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {LIST, LOGIN, openEmitStage, REGISTRY, type EmitStage} from './emit-stage.js'

const golden = join(import.meta.dirname, '..', 'golden', 'config-emit')

let stage: EmitStage
beforeAll(async () => {
  stage = await openEmitStage()
})
afterAll(() => stage.remove())

const written: readonly (readonly [string, readonly string[]])[] = [
  ['containerd', ['--for', 'containerd', ...LIST]],
  ['containerd-2.1-cut-login', ['--for', 'containerd@2.1', '--fallback', 'cut', ...LIST, ...LOGIN]],
  ['containerd-1.4', ['--for', 'containerd@1.4', ...LIST, ...LOGIN]],
  ['containerd-all-hosts', ['--for', 'containerd', '--host', '*', '--fallback', 'cut', ...REGISTRY]],
  ['k3s-cut-login', ['--for', 'k3s', '--fallback', 'cut', ...LIST, ...LOGIN]],
  ['k3s-hosts-kept', ['--for', 'k3s', '--map-host', 'keep', ...LIST]],
  ['k3s-one-rule', ['--for', 'k3s', '--rewrite', '^team/(.*)=apps/$1', '--host', 'gcr.io', ...REGISTRY]],
  ['k3s-two-rules', ['--for', 'k3s', '--rewrite', '^team/=apps/', '--rewrite', 'y=why', ...LIST]],
  ['rke2', ['--for', 'rke2', ...LIST]],
  [
    'bmctl',
    ['--for', 'bmctl', ...REGISTRY, '--images', 'list.txt', '--docker-config', '/root/.docker/config.json'],
  ],
  [
    'gkectl',
    [
      '--for',
      'gkectl',
      '--proxy',
      'http://proxy.example:3128',
      '--private-registry',
      'registry.example',
      '--images',
      'gcr.txt',
      '--cacert',
      'ca.pem',
    ],
  ],
  ['openshift', ['--for', 'openshift', ...LIST]],
  [
    'openshift-cut-admit',
    [
      '--for',
      'openshift',
      '--fallback',
      'cut',
      '--admit',
      'sources',
      '--search',
      'docker.io',
      '--signature-key',
      'key.pub',
      ...LIST,
      ...LOGIN,
    ],
  ],
  [
    'openshift-4.12',
    ['--for', 'openshift@4.12', ...REGISTRY, '--images', 'digests.txt', '--block', 'docker.io'],
  ],
  ['crio-cut-login', ['--for', 'crio', '--fallback', 'cut', ...LIST, ...LOGIN]],
  ['podman-signed', ['--for', 'podman', '--signature-key', 'key.pub', '--block', 'ghcr.io', ...LIST]],
  [
    'podman-rewritten',
    ['--for', 'podman', '--fallback', 'cut', '--admit', 'any', '--rewrite', '^team/=apps/', ...LIST],
  ],
  [
    'docker',
    [
      '--for',
      'docker',
      '--private-registry',
      'registry.example:5000',
      '--images',
      'hub.txt',
      '--cacert',
      'ca.pem',
    ],
  ],
  ['talos', ['--for', 'talos', '--fallback', 'cut', ...LIST, ...LOGIN]],
  ['talos-1.11', ['--for', 'talos@1.11', ...LIST]],
  ['kind-0.26', ['--for', 'kind@0.26', ...LIST]],
  ['minikube', ['--for', 'minikube', ...LIST]],
  ['kustomize', ['--for', 'kustomize', ...LIST]],
  ['policy-cut', ['--for', 'policy', '--fallback', 'cut', '--rewrite', '^team/=apps/', ...LIST]],
  [
    'terraform',
    [
      '--for',
      'terraform',
      '--private-registry',
      'registry.example',
      '--images',
      'gcr.txt',
      '--cacert',
      'ca.pem',
    ],
  ],
]

describe('config emit writes the same configuration as before', () => {
  test.for(written)('%s', async ([name, args]) => {
    const {code, stdout, stderr} = await stage.emit(...args)
    expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''})
    const text = `${stdout}\n${stderr}`.replaceAll(stage.path, '/home/admin')
    await expect(text).toMatchFileSnapshot(join(golden, `${name}.txt`))
  })
})
