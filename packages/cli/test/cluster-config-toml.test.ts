import {describe, expect, it} from 'vitest'
import {explained, shown, type Contents} from './cluster-kit.js'

const CONFIG = '/etc/containerd/config.toml'
const OLD = 'plugins."io.containerd.grpc.v1.cri".registry'
const NEW = 'plugins."io.containerd.cri.v1.images".registry'
const UPSTREAM = 'https://gcr.io/v2/proj/app/manifests/1.0 public'
const MIRROR = 'https://m/v2/proj/app/manifests/1.0?ns=gcr.io'
const CERTS: Contents = {'/etc/containerd/certs.d/gcr.io/hosts.toml': 'server = "https://m"\n'}

function asked(
  config: string,
  {
    reference = 'gcr.io/proj/app:1.0',
    as = 'containerd',
    files = {},
  }: {reference?: string; as?: string; files?: Contents} = {},
) {
  return shown(explained(reference, as, {[CONFIG]: config, ...files}))
}

function warned(config: string, as = 'containerd', files: Contents = CERTS): string {
  return explained('gcr.io/proj/app:1.0', as, {[CONFIG]: config, ...files}).warnings.join('\n')
}

describe('the deprecated registry.mirrors', () => {
  const mirrors = (endpoints: string, host = 'gcr.io'): string =>
    `version = 2\n[${OLD}.mirrors."${host}"]\nendpoint = [${endpoints}]\n`

  it('r01: takes a path as it is, and asks the registry of the image last', () => {
    expect(asked(mirrors('"http://a:5000/v2/ns", "http://b:5000"'))).toEqual([
      'http://a:5000/v2/ns/proj/app/manifests/1.0?ns=gcr.io',
      'http://b:5000/v2/proj/app/manifests/1.0?ns=gcr.io',
      UPSTREAM,
    ])
  })

  it('r02: appends no /v2 to any path', () => {
    expect(asked(mirrors('"https://a/ns"'))[0]).toBe('https://a/ns/proj/app/manifests/1.0?ns=gcr.io')
    expect(asked(mirrors('"https://a/"'))[0]).toBe('https://a/proj/app/manifests/1.0?ns=gcr.io')
  })

  it('r03: takes * only for a host without an entry, even an empty one', () => {
    const star = `version = 2\n[${OLD}.mirrors."*"]\nendpoint = ["https://m"]\n`
    expect(asked(star)).toEqual([MIRROR, UPSTREAM])
    expect(asked(`${star}[${OLD}.mirrors."gcr.io"]\nendpoint = []\n`)).toEqual([UPSTREAM])
  })

  it('r04: adds no default endpoint if an endpoint is on the host of the registry', () => {
    expect(asked(mirrors('"https://m", "https://gcr.io/other"'))).toEqual([
      MIRROR,
      'https://gcr.io/other/proj/app/manifests/1.0 public',
    ])
  })

  it('r04: adds Docker Hub again after registry-1.docker.io, because names say docker.io', () => {
    const hub = 'https://registry-1.docker.io/v2/library/nginx/manifests/latest public'
    expect(asked(mirrors('"https://registry-1.docker.io"', 'docker.io'), {reference: 'nginx'})).toEqual([
      hub,
      hub,
    ])
  })

  it('takes http for a loopback endpoint without a scheme, and https for another', () => {
    expect(asked(mirrors('"localhost:5000", "m"')).slice(0, 2)).toEqual([
      'http://localhost:5000/v2/proj/app/manifests/1.0?ns=gcr.io',
      MIRROR,
    ])
  })

  it('r10: of a version 2 file counts in containerd 1 and 2', () => {
    expect(asked(mirrors('"https://m"'), {as: 'containerd@1.7'})).toEqual(
      asked(mirrors('"https://m"'), {as: 'containerd@2.0'}),
    )
  })

  it('with an endpoint that is not a list stops the plugin', () => {
    expect(asked(`version = 2\n[${OLD}.mirrors."gcr.io"]\nendpoint = "https://m"\n`)[0]).toMatch(
      /^error: invalid plugin config: .*config\.toml:3: endpoint is not a list/,
    )
  })
})

describe('TLS and credentials of registry.configs', () => {
  const config = `version = 2
[${OLD}.mirrors."gcr.io"]
endpoint = ["https://m:5443"]
[${OLD}.configs."m:5443".tls]
ca_file = "/etc/ca.crt"
[${OLD}.configs."m:5443".auth]
username = "u"
password = "s3cret"
`

  it('r15: containerd 2 ignores the tls table, so that the certificate is not trusted', () => {
    expect(asked(config)).toEqual([
      'https://m:5443/v2/proj/app/manifests/1.0?ns=gcr.io basic tls-error',
      UPSTREAM,
    ])
    expect(warned(config)).toMatch(
      /configs\."m:5443"\.tls at .*config\.toml:4 is ignored because containerd 2 has no such table/,
    )
  })

  it('r15: containerd 1 takes it', () => {
    expect(asked(config, {as: 'containerd@1.7'})[0]).toBe(
      'https://m:5443/v2/proj/app/manifests/1.0?ns=gcr.io ca=/etc/ca.crt basic',
    )
  })

  it('r11: a credential is found by the exact host and port that is asked', () => {
    const other = config.replaceAll('configs."m:5443"', 'configs."m"')
    expect(asked(other)[0]).not.toContain('basic')
    expect(asked(config.replaceAll('configs."m:5443"', 'configs."*"'))[0]).not.toContain('basic')
  })

  it('r12: a credential counts beside config_path too', () => {
    const text = `version = 2\n[${OLD}]\nconfig_path = "/etc/containerd/certs.d"\n[${OLD}.configs."m".auth]\nauth = "dTpw"\n`
    expect(asked(text, {files: CERTS})).toEqual([`${MIRROR} basic`])
  })

  it('the credential of Docker Hub has the key registry-1.docker.io', () => {
    const auth = (key: string): string => `version = 2\n[${OLD}.configs."${key}".auth]\nidentitytoken = "t"\n`
    const hub = 'https://registry-1.docker.io/v2/library/nginx/manifests/latest'
    expect(asked(auth('registry-1.docker.io'), {reference: 'nginx'})).toEqual([
      `${hub} identity-token public`,
    ])
    expect(asked(auth('docker.io'), {reference: 'nginx'})).toEqual([`${hub} public`])
  })

  it('auths of a URL count for its host', () => {
    const text = `version = 2\n[${OLD}.auths."https://gcr.io"]\nusername = "u"\npassword = "p"\n`
    expect(asked(text)[0]).toContain('gcr.io/v2/proj/app/manifests/1.0 basic')
  })

  it('no secret is shown', () => {
    expect(JSON.stringify(explained('gcr.io/a/b:1', 'containerd', {[CONFIG]: config}))).not.toContain(
      's3cret',
    )
  })
})

describe('config_path', () => {
  const path = (value: string, table = NEW, version = 3): string =>
    `version = ${version}\n[${table}]\nconfig_path = "${value}"\n`
  const two = '/etc/containerd/certs.d:/etc/docker/certs.d'

  it('r06: with two directories is taken as one by the transfer service, and the public registry is asked', () => {
    expect(asked(path(two), {files: CERTS})).toEqual([UPSTREAM])
    expect(warned(path(two))).toMatch(/is taken as one directory by the transfer service/)
  })

  it('r06: is split before containerd 2.1', () => {
    expect(asked(path(two), {files: CERTS, as: 'containerd@2.0'})).toEqual([MIRROR])
  })

  it.each([
    ['use_local_image_pull = true', ''],
    ['max_concurrent_downloads = 5', ''],
    ['discard_unpacked_layers = true', ''],
    ['disable_snapshot_annotations = false', ''],
    ['image_pull_with_sync_fs = true', ''],
    ['', `[${NEW}.configs."x".auth]\nusername = "u"\n`],
  ])('r07: is split with %s%s, which rules the transfer service out', (setting, table) => {
    const text = `version = 3\n[plugins."io.containerd.cri.v1.images"]\n${setting}\n[${NEW}]\nconfig_path = "${two}"\n${table}`
    expect(asked(text, {files: CERTS})).toEqual([MIRROR])
  })

  it('r08: _default of the first directory beats a specific one of the second', () => {
    const files = {
      '/etc/containerd/certs.d/_default/hosts.toml': 'server = "https://first"\n',
      '/etc/docker/certs.d/gcr.io/hosts.toml': 'server = "https://second"\n',
    }
    expect(asked(path(two), {files, as: 'containerd@2.0'})).toEqual([
      'https://first/v2/proj/app/manifests/1.0?ns=gcr.io',
    ])
  })

  it('r05: beside mirrors stops the plugin, so that nothing can be pulled', () => {
    const text = `${path('/etc/containerd/certs.d', OLD, 2)}[${OLD}.mirrors."gcr.io"]\nendpoint = ["https://m"]\n`
    expect(asked(text)[0]).toBe(
      'error: invalid cri image config: `mirrors` cannot be set when `config_path` is provided',
    )
    expect(warned(text)).toMatch(/the kubelet can pull no image/)
  })

  it('beside tls stops the plugin of containerd 1 alone', () => {
    const text = `${path('/etc/containerd/certs.d', OLD, 2)}[${OLD}.configs."m".tls]\nca_file = "/x"\n`
    expect(asked(text, {as: 'containerd@1.7', files: CERTS})[0]).toMatch(
      /`configs.tls` cannot be set when `config_path` is provided/,
    )
    expect(asked(text, {files: CERTS})).toEqual([MIRROR])
  })

  it('r13: has no default up to containerd 2.1', () => {
    expect(asked('version = 3\n', {files: CERTS})).toEqual([UPSTREAM])
    expect(warned('version = 3\n')).toMatch(
      /certs\.d is ignored because .*config\.toml has no config_path that counts/,
    )
  })

  it('r13: has a default of two directories since containerd 2.2, which the transfer service takes for one', () => {
    expect(asked('version = 3\n', {files: CERTS, as: 'containerd@2.2'})).toEqual([UPSTREAM])
    const local = 'version = 3\n[plugins."io.containerd.cri.v1.images"]\nuse_local_image_pull = true\n'
    expect(asked(local, {files: CERTS, as: 'containerd@2.2'})).toEqual([MIRROR])
    expect(asked(local, {files: CERTS})).toEqual([UPSTREAM])
  })
})

describe('the version of config.toml', () => {
  it('r09: 3 does not know the old name of the plugin', () => {
    const text = `version = 3\n[${OLD}]\nconfig_path = "/etc/containerd/certs.d"\n`
    expect(asked(text, {files: CERTS})).toEqual([UPSTREAM])
    expect(warned(text)).toMatch(
      /plugins\."io\.containerd\.grpc\.v1\.cri" .* is ignored because the file is of version 3/,
    )
  })

  it('r14: is 1 if there is none, in which long names are ignored', () => {
    const text = `[${OLD}]\nconfig_path = "/etc/containerd/certs.d"\n`
    expect(asked(text, {files: CERTS})).toEqual([UPSTREAM])
    expect(warned(text)).toMatch(/has no version line and so is of version 1/)
    expect(
      asked('[plugins.cri.registry]\nconfig_path = "/etc/containerd/certs.d"\n', {files: CERTS}),
    ).toEqual([MIRROR])
  })

  it('that is newer than containerd keeps it from starting', () => {
    expect(asked('version = 3\n', {as: 'containerd@1.7'})[0]).toMatch(
      /^error: .*equal to or less than `2`, got `3`/,
    )
  })

  it('does not matter for a file that does not parse: containerd does not start', () => {
    expect(asked('version = 2\n[plugins\n')[0]).toMatch(/^error: failed to load TOML from .*row \d/)
  })
})

describe('config.toml', () => {
  it('with the plugin disabled, as packages of Docker ship it, pulls nothing', () => {
    expect(asked('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')[0]).toMatch(
      /^error: the CRI plugin is disabled: .*config\.toml:2/,
    )
  })

  it('is read with what it imports, later files over earlier ones', () => {
    const files = {
      '/etc/containerd/conf.d/10.toml': `version = 2\n[${OLD}.mirrors."gcr.io"]\nendpoint = ["https://first"]\n`,
      '/etc/containerd/conf.d/20.toml': `version = 2\n[${OLD}.mirrors."gcr.io"]\nendpoint = ["https://m"]\n`,
    }
    expect(asked('version = 2\nimports = ["conf.d/*.toml"]\n', {files})).toEqual([MIRROR, UPSTREAM])
  })

  it('keeps the config_path of an earlier file if a later one has none', () => {
    const files = {
      ...CERTS,
      '/etc/containerd/conf.d/10.toml': `version = 3\n[plugins."io.containerd.cri.v1.images"]\nsnapshotter = "native"\n`,
    }
    const text = `version = 3\nimports = ["conf.d/*.toml"]\n[plugins."io.containerd.cri.v1.images".registry]\nconfig_path = "/etc/containerd/certs.d"\n`
    expect(asked(text, {as: 'containerd@2.1', files})).toEqual([MIRROR])
  })

  it('m30: is not read by ctr, which reads certs.d only with a flag', () => {
    const explanation = explained('gcr.io/proj/app:1.0', 'ctr', {[CONFIG]: 'version = 2\n', ...CERTS})
    expect(shown(explanation)).toEqual([UPSTREAM])
    expect(explanation.warnings).toHaveLength(2)
    expect(explanation.warnings[1]).toMatch(/only with --hosts-dir/)
  })

  it('that is missing is said, with what containerd needs', () => {
    expect(explained('gcr.io/proj/app:1.0', 'containerd@2.1', CERTS).assumed[0]).toMatch(
      /there is no .*config\.toml in the files: .* without a config_path it reads no directory/,
    )
  })
})
