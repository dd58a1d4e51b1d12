import {describe, expect, it} from 'vitest'
import {explained, shown} from './cluster-kit.js'

const UPSTREAM = 'https://registry-1.docker.io/v2/library/alpine/manifests/3.20 public'
const PEM = '-----BEGIN CERTIFICATE-----'

describe('Talos', () => {
  const asked = (machine: string, reference = 'alpine:3.20') =>
    shown(explained(reference, 'talos', {'/machine.yaml': machine}))

  it('t01: makes the last endpoint the server with skipFallback, and overridePath is for each endpoint in the new form', () => {
    const text = `kind: RegistryMirrorConfig
name: docker.io
endpoints:
  - {url: "https://a/v2/hub", overridePath: true}
  - {url: "https://b"}
skipFallback: true
---
kind: RegistryAuthConfig
name: a
username: u
password: p
`
    expect(asked(text)).toEqual([
      'https://a/v2/hub/library/alpine/manifests/3.20?ns=docker.io basic',
      'https://b/v2/library/alpine/manifests/3.20?ns=docker.io',
    ])
  })

  it('t02: has one overridePath for all endpoints in the old form', () => {
    const text =
      'machine:\n  registries:\n    mirrors:\n      docker.io:\n        overridePath: true\n        endpoints: ["https://a/v2/hub", "https://b"]\n'
    expect(asked(text)).toEqual([
      'https://a/v2/hub/library/alpine/manifests/3.20?ns=docker.io',
      'https://b/library/alpine/manifests/3.20?ns=docker.io',
      UPSTREAM,
    ])
  })

  it('t03: takes * for registries without an entry, and a TLS entry of a registry is one', () => {
    const star =
      'kind: RegistryMirrorConfig\nname: "*"\nendpoints: [{url: "https://m"}]\nskipFallback: true\n'
    expect(asked(star)).toEqual(['https://m/v2/library/alpine/manifests/3.20?ns=docker.io'])
    expect(
      asked(`${star}---\nkind: RegistryMirrorConfig\nname: docker.io\nendpoints: [{url: "https://b"}]\n`),
    ).toEqual(['https://b/v2/library/alpine/manifests/3.20?ns=docker.io', UPSTREAM])
    expect(asked(`${star}---\nkind: RegistryTLSConfig\nname: docker.io\ninsecureSkipVerify: true\n`)).toEqual(
      ['https://registry-1.docker.io/v2/library/alpine/manifests/3.20 unverified public'],
    )
  })

  it('t04: finds TLS settings and credentials by the host and port of the endpoint', () => {
    const text = `machine:
  registries:
    mirrors:
      docker.io: {endpoints: ["https://m:5443"]}
    config:
      "m:5443":
        tls: {ca: ${Buffer.from(PEM).toString('base64')}}
        auth: {identityToken: t}
      m:
        tls: {insecureSkipVerify: true}
`
    expect(asked(text)[0]).toBe(
      'https://m:5443/v2/library/alpine/manifests/3.20?ns=docker.io ca=/etc/cri/conf.d/hosts/docker.io/m:5443-ca.crt identity-token',
    )
  })

  it('t05: refuses TLS settings for *', () => {
    expect(asked('kind: RegistryTLSConfig\nname: "*"\ninsecureSkipVerify: true\n')).toEqual([
      'error: wildcard host TLS configuration is not supported',
    ])
  })

  it('m25: wants a scheme', () => {
    expect(asked('kind: RegistryMirrorConfig\nname: docker.io\nendpoints: [{url: "m:5000"}]\n')).toEqual([
      'error: endpoints[0].url has unsupported scheme: "m"',
    ])
    const old = (endpoint: string): string =>
      `machine:\n  registries:\n    mirrors:\n      docker.io: {endpoints: ["${endpoint}"]}\n`
    expect(asked(old('10.0.0.1:5000'))[0]).toMatch(
      /^error: error parsing endpoint "10\.0\.0\.1:5000" for host "docker\.io"/,
    )
    expect(explained('alpine', 'talos', {'/machine.yaml': old('m:5000')}).warnings.join()).toMatch(
      /m:5000 has no scheme/,
    )
  })

  it('appends /v2 unless the path ends in it, and names images without an entry as they are', () => {
    const text =
      'kind: RegistryMirrorConfig\nname: docker.io\nendpoints: [{url: "https://m/hub"}, {url: "https://m/hub/v2"}]\n'
    expect(asked(text).slice(0, 2)).toEqual([
      'https://m/hub/v2/library/alpine/manifests/3.20?ns=docker.io',
      'https://m/hub/v2/library/alpine/manifests/3.20?ns=docker.io',
    ])
    expect(asked(text, 'quay.io/a/b:1')).toEqual(['https://quay.io/v2/a/b/manifests/1 public'])
  })

  it('says that skipFallback without an endpoint does nothing', () => {
    const explanation = explained('alpine:3.20', 'talos', {
      '/m.yaml': 'kind: RegistryMirrorConfig\nname: docker.io\nskipFallback: true\n',
    })
    expect(shown(explanation)).toEqual([UPSTREAM])
    expect(explanation.warnings.join()).toMatch(/skipFallback at \/m\.yaml:1 does nothing/)
  })
})

describe('a cluster file of bmctl', () => {
  const header = `gcrKeyPath: /root/key.json
registryMirrors:
- endpoint: https://m:5000/v2/ns
  caCertPath: /root/ca.crt
  pullCredentialConfigPath: /root/.docker/config.json
  hosts: [quay.io]
`
  const asked = (cluster: string, reference: string) =>
    shown(explained(reference, 'bmctl', {'/cluster.yaml': cluster}))
  const own = '/v2/ns/a/b/manifests/1?ns='

  it('mirrors gcr.io always, with the path as it is, and cannot keep nodes from the public registry', () => {
    expect(asked(`${header}---\nkind: Namespace\n`, 'gcr.io/a/b:1')).toEqual([
      `https://m:5000${own}gcr.io ca=/root/ca.crt basic`,
      'https://gcr.io/v2/a/b/manifests/1 basic public',
    ])
  })

  it('mirrors the other hosts that it names; gcrKeyPath is for gcr.io alone', () => {
    expect(asked(header, 'quay.io/a/b:1')).toEqual([
      `https://m:5000${own}quay.io ca=/root/ca.crt basic`,
      'https://quay.io/v2/a/b/manifests/1 public',
    ])
    expect(asked(header, 'ghcr.io/a/b:1')).toEqual(['https://ghcr.io/v2/a/b/manifests/1 public'])
  })

  it('needs /v2 in the path of an endpoint', () => {
    const text = header.replace('/v2/ns', '/ns')
    expect(asked(text, 'gcr.io/a/b:1')[0]).toContain('https://m:5000/ns/a/b/manifests/1')
    expect(explained('gcr.io/a/b:1', 'bmctl', {'/c.yaml': text}).warnings.join()).toMatch(
      /without \/v2 at its start/,
    )
  })

  it('is ignored if registryMirrors does not stand before the first ---', () => {
    const explanation = explained('gcr.io/a/b:1', 'bmctl', {
      '/c.yaml': `gcrKeyPath: /k\n---\nkind: Cluster\n${header.slice(header.indexOf('registry'))}`,
    })
    expect(shown(explanation)).toEqual(['https://gcr.io/v2/a/b/manifests/1 basic public'])
    expect(explanation.warnings.join()).toMatch(
      /registryMirrors in \/c\.yaml:5 is ignored because it has to stand before the first ---/,
    )
  })
})

describe('kind', () => {
  const hosts = {'/etc/containerd/certs.d/localhost:5001/hosts.toml': '[host."http://kind-registry:5000"]\n'}

  it('x01: falls back to loopback inside the node by the hosts.toml of its own script', () => {
    expect(shown(explained('localhost:5001/app:1', 'kind', hosts))).toEqual([
      'http://kind-registry:5000/v2/app/manifests/1?ns=localhost%3A5001',
      'https://localhost:5001/v2/app/manifests/1 unverified tls-error',
      'http://localhost:5001/v2/app/manifests/1 unverified',
    ])
  })

  it('reads no certs.d before v0.27 without a patch', () => {
    expect(
      shown(
        explained('quay.io/a/b:1', 'kind@0.26', {
          '/etc/containerd/certs.d/quay.io/hosts.toml': 'server = "https://m"\n',
        }),
      ),
    ).toEqual(['https://quay.io/v2/a/b/manifests/1 public'])
  })

  it('applies the patches of the cluster to the configuration of the node image', () => {
    const files = {
      '/etc/containerd/certs.d/quay.io/hosts.toml': 'server = "https://m"\n[host]\n',
      '/kind.yaml':
        'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\ncontainerdConfigPatches:\n- |-\n  [plugins."io.containerd.grpc.v1.cri".registry]\n    config_path = "/etc/containerd/certs.d"\n',
    }
    expect(shown(explained('quay.io/a/b:1', 'kind@0.26', files))).toEqual([
      'https://m/v2/a/b/manifests/1?ns=quay.io',
    ])
  })

  it('warns of the deprecated mirrors in a patch', () => {
    const patch =
      '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."quay.io"]\n    endpoint = ["https://m"]\n'
    const explanation = explained('quay.io/a/b:1', 'kind', {
      '/kind.yaml': `kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\ncontainerdConfigPatches:\n- |-\n  ${patch}`,
    })
    expect(shown(explanation)[0]).toBe('https://m/v2/a/b/manifests/1?ns=quay.io')
    expect(explanation.warnings.join()).toMatch(/deprecated registry\.mirrors/)
  })
})
