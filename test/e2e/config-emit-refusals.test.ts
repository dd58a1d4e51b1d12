import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {GCR, LIST, openEmitStage, REGISTRY, type EmitStage} from './emit-stage.js'

let stage: EmitStage
beforeAll(async () => {
  stage = await openEmitStage()
})
afterAll(() => stage.remove())

const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'containerd and two paths for one host',
    ['--for', 'containerd', '--rewrite', '^team/=apps/', ...LIST],
    /gcr\.io\/team\/app:v1 \(registry\.example:5000\/mirror\/apps\/app:v1\)/,
  ],
  [
    'containerd and a tag that changes',
    ['--for', 'containerd', '--map', 'map.txt', ...LIST],
    /cannot change the tag .*: gcr\.io\/team\/app:v1 \(/,
  ],
  [
    'k3s and tags of one repository at two places',
    ['--for', 'k3s', '--images', 'two.txt', ...REGISTRY],
    /gcr\.io\/team\/app:v1 .*gcr\.io\/team\/app:v2/,
  ],
  [
    'bmctl with a path for each host',
    ['--for', 'bmctl', '--map-host', 'keep', ...LIST],
    /one path of the registry: docker\.io\/library\/busybox:1\.36/,
  ],
  ['bmctl without a fallback', ['--for', 'bmctl', '--fallback', 'cut', ...LIST], /not possible for bmctl/],
  ['gkectl without a fallback', ['--for', 'gkectl', '--fallback', 'cut', ...GCR], /not possible for gkectl/],
  ['gkectl over plain HTTP', ['--for', 'gkectl', '--plain-http', ...GCR], /TLS/],
  ['gkectl and images of other hosts', ['--for', 'gkectl', ...LIST], /docker\.io\/library\/busybox:1\.36/],
  ['docker without a fallback', ['--for', 'docker', '--fallback', 'cut', ...LIST], /not possible for docker/],
  ['docker and other hosts', ['--for', 'docker', ...LIST], /docker\.io alone.*gcr\.io\/team\/app:v1/],
  [
    'docker and a namespace',
    ['--for', 'docker', '--images', 'hub.txt', ...REGISTRY],
    /path below the private registry: docker\.io\/library\/busybox:1\.36/,
  ],
  [
    'OpenShift 4.12 without a fallback',
    ['--for', 'openshift@4.12', '--fallback', 'cut', '--images', 'digests.txt', ...REGISTRY],
    /not possible for OpenShift before 4\.13/,
  ],
  [
    'OpenShift 4.12 and tags',
    ['--for', 'openshift@4.12', ...LIST],
    /only pulls by digest: gcr\.io\/team\/app:v1/,
  ],
  [
    'the deprecated form without a fallback',
    ['--for', 'containerd@1.4', '--fallback', 'cut', ...LIST],
    /default endpoint cannot be removed/,
  ],
  [
    'the deprecated form on containerd 2',
    ['--for', 'containerd@2.0', '--deprecated-mirrors', ...LIST],
    /before 2\.0/,
  ],
  ['all hosts for podman', ['--for', 'podman', '--host', '*', ...REGISTRY], /no entry for all hosts/],
  [
    'K3s, a source in the private registry and no fallback',
    ['--for', 'k3s', '--fallback', 'cut', '--images', 'own.txt', ...REGISTRY],
    /brings its default endpoint back/,
  ],
  ['an unknown target', ['--for', 'nomad', ...LIST], /not a known target/],
  [
    'nothing to mirror',
    ['--for', 'k3s', '--images', 'own.txt', '--private-registry', 'registry.example:5000'],
    /nothing to mirror/,
  ],
  ['a flag without effect', ['--for', 'k3s', '--admit', 'any', ...LIST], /--admit has no effect on k3s/],
  [
    'credentials that are not there',
    ['--for', 'k3s', '--inline-credentials', ...LIST],
    /no login for registry\.example:5000/,
  ],
]

describe('config emit refuses what a target cannot express, and names the images', () => {
  test.for(refused)('%s', async ([, args, message]) => {
    const {code, stdout, stderr} = await stage.emit(...args)
    expect({code, stdout}).toEqual({code: 2, stdout: ''})
    expect(stderr.replaceAll('\n', ' ')).toMatch(message)
  })
})
