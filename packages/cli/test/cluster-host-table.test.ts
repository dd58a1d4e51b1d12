import {expect, test} from 'vitest'
import {explained, shown} from './cluster-kit.js'

const files = {
  '/etc/containerd/config.toml':
    'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n',
  '/etc/containerd/certs.d/quay.io/hosts.toml': 'server = "https://mirror.example"\n',
}

test('containerd 1 ignores a hosts.toml without a host table and asks the public registry', () => {
  const explanation = explained('quay.io/team/app:1', 'containerd@1.6', files)
  expect(shown(explanation)).toEqual(['https://quay.io/v2/team/app/manifests/1 public'])
  expect(explanation.warnings.join(' ')).toContain('no [host] table')
})

test('containerd 2 takes a hosts.toml that names only a server', () => {
  const explanation = explained('quay.io/team/app:1', 'containerd@2.1', files)
  expect(shown(explanation)).toEqual(['https://mirror.example/v2/team/app/manifests/1?ns=quay.io'])
})
