import * as fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {timesTried} from '@airgap-mirror/test/kit'
import {isMirrorError} from '@airgap-mirror/oci-client/model'
import {explained, type Contents} from './cluster-kit.js'

const HOSTS = `server = "https://m"
[host."http://a:5000/v2/ns"]
capabilities = ["pull", "resolve"]
override_path = true
ca = ["/x.crt"]
client = [["a", "b"]]
skip_verify = true
[host."https://b".header]
x = ["1"]
`
const CONFIG = `version = 2
imports = ["conf.d/*.toml"]
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.grpc.v1.cri".registry.configs."m".auth]
username = "u"
[plugins."io.containerd.grpc.v1.cri".registry.mirrors."*"]
endpoint = ["https://m", "b"]
`
const REGISTRIES = `mirrors:
  "*": {endpoint: ["https://m", "localhost:5000"], rewrite: {"^a": "b$1", "(": "x"}}
  quay.io: &q
    endpoint: ["https://quay.io"]
  gcr.io: {<<: *q}
configs:
  m: {auth: {username: u}, tls: {ca_file: /x, insecure_skip_verify: yes}}
`
const MACHINE = `machine:
  registries:
    mirrors: {docker.io: {endpoints: ["https://m"], overridePath: true, skipFallback: true}}
    config: {m: {tls: {ca: eA==, insecureSkipVerify: true}, auth: {username: u}}}
---
kind: RegistryMirrorConfig
name: quay.io
endpoints: [{url: "https://b", overridePath: true}]
`
const CLUSTER = `gcrKeyPath: /k
registryMirrors:
- endpoint: https://m/v2/ns
  caCertPath: /c
  hosts: [quay.io]
---
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
containerdConfigPatches: ["[plugins.cri.registry]"]
`
const files: Readonly<Record<string, readonly [string, string]>> = {
  containerd: ['/etc/containerd/certs.d/quay.io/hosts.toml', HOSTS],
  'containerd@1.7': ['/etc/containerd/config.toml', CONFIG],
  'containerd@2.1': ['/etc/containerd/config.toml', CONFIG],
  k3s: ['/etc/rancher/k3s/registries.yaml', REGISTRIES],
  rke2: ['/etc/rancher/rke2/config.yaml', 'disable-default-registry-endpoint: true\nprivate-registry: /x\n'],
  docker: [
    '/etc/docker/daemon.json',
    '{"registry-mirrors": ["https://m"], "insecure-registries": ["10.0.0.0/8", "m"]}',
  ],
  talos: ['/machine.yaml', MACHINE],
  bmctl: ['/cluster.yaml', CLUSTER],
  kind: ['/cluster.yaml', CLUSTER],
}

/** Text with a few of its parts removed, repeated, or replaced by others that mean something in these files. */
function damaged(text: string): fc.Arbitrary<string> {
  const part = fc.tuple(
    fc.nat(text.length),
    fc.nat(12),
    fc.constantFrom(
      '',
      '"',
      '[',
      ']',
      '{',
      '}',
      ':',
      '\n',
      '- ',
      '*',
      '&x ',
      '1',
      '~',
      '\u0000',
      '../',
      '%zz',
      '=',
    ),
  )
  return fc
    .array(part, {minLength: 1, maxLength: 4})
    .map((parts) =>
      parts.reduce((all, [at, length, other]) => all.slice(0, at) + other + all.slice(at + length), text),
    )
}

describe('damaged files end in an explanation or in an error that a user can understand', () => {
  it.each(Object.entries(files))('%s', (as, [path, text]) => {
    fc.assert(
      fc.property(
        damaged(text),
        fc.constantFrom('quay.io/a/b:1', 'nginx', 'localhost:5000/x'),
        (content, reference) => {
          const contents: Contents = {[path]: content, '/etc/other': ''}
          try {
            const {outcome, tries, message} = explained(reference, as, contents)
            expect(outcome === 'tries-all' || message !== undefined).toBe(true)
            // A damaged scheme, such as ttps, is shown as the node would try it.
            expect(tries.filter(({url}) => !/^[^/]*:\/\/.*\/manifests\//.test(url))).toEqual([])
          } catch (error) {
            if (!isMirrorError(error)) throw error
          }
        },
      ),
      {numRuns: timesTried(100)},
    )
  })
})
