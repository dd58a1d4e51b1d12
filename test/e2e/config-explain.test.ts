import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {makeTempDir, runMirror, type ChildResult} from '@airgap-mirror/test/kit'
import {mkdir, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'

/** Runs `config explain` over files at their paths on a node. */
async function explainNode(
  files: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<ChildResult> {
  await using node = await makeTempDir()
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(node.path, path)), {recursive: true})
    await writeFile(join(node.path, path), text)
  }
  return await runMirror(['config', 'explain', ...args, '--files', node.path])
}

const LEAK = {
  '/etc/containerd/config.toml':
    'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n',
  '/etc/containerd/certs.d/gcr.io/hosts.toml':
    'server = "https://mirror.example.net:5443"\n[host.https://mirror.example.net:5443]\n',
}
const K3S = {
  '/etc/rancher/k3s/registries.yaml':
    'mirrors:\n  docker.io:\n    endpoint: ["https://mirror.example.net"]\nconfigs:\n  mirror.example.net:\n    auth: {username: puller, password: s3cret}\n',
}

describe('mirror config explain', () => {
  it('tells people each try with file, line and rule, and what is ignored', async () => {
    const {code, stdout} = await explainNode(LEAK, ['gcr.io/proj/app:1.0'])
    expect(code).toBe(0)
    expect(stdout).toContain('gcr.io/proj/app:1.0 as pulled by containerd@2.1')
    expect(stdout).toContain('1. https://gcr.io/v2/proj/app/manifests/1.0\n')
    expect(stdout).toContain('this is a public registry')
    expect(stdout).toMatch(
      /warning: \/etc\/containerd\/certs\.d\/gcr\.io\/hosts\.toml is ignored because of line 2: .*; the registry of the image is asked/,
    )
  })

  it('prints JSON of the schema mirror.explain/v1, and never a secret', async () => {
    const {code, stdout} = await explainNode(K3S, ['nginx', '--as', 'k3s', '--json'])
    expect(code).toBe(0)
    const explanation = JSON.parse(stdout) as Record<string, unknown>
    expect(Object.keys(explanation)).toEqual([
      '$schema',
      'schema',
      'reference',
      'as',
      'assumed',
      'outcome',
      'tries',
      'endsAtPublic',
      'warnings',
    ])
    expect(explanation).toMatchObject({
      schema: 'mirror.explain/v1',
      reference: 'nginx',
      as: 'k3s',
      outcome: 'tries-all',
      endsAtPublic: true,
    })
    expect((explanation['tries'] as readonly object[])[0]).toMatchObject({
      url: 'https://mirror.example.net/v2/library/nginx/manifests/latest?ns=docker.io',
      source: '/etc/rancher/k3s/registries.yaml:3 mirrors."docker.io" endpoint 1',
      auth: 'basic',
      skipVerify: false,
      public: false,
    })
    expect(stdout).not.toContain('s3cret')
  })

  it('finds out the runtime by the files, and says that it did', async () => {
    const {stdout} = await explainNode({...K3S, ...LEAK}, ['nginx'])
    expect(stdout).toContain('assumed: the runtime is k3s, because there is /etc/rancher/k3s/registries.yaml')
    expect(stdout).toContain(
      'assumed: the files also show containerd (/etc/containerd/certs.d/gcr.io/hosts.toml), which --as can choose',
    )
  })

  it('ends with 0 if the answer is that nothing can be pulled, and says how far that reaches', async () => {
    const {code, stdout} = await explainNode({'/etc/rancher/k3s/registries.yaml': 'mirrors: [\n'}, ['nginx'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Error: yaml: line \d/)
    expect(stdout).toContain(
      'warning: the k3s service does not start with these files: no image can be pulled on this node',
    )
  })

  it.each([
    ['an unknown runtime', ['nginx', '--as', 'lxc'], /--as "lxc" is not a known runtime/],
    ['a version that is none', ['nginx', '--as', 'containerd@new'], /--as "containerd@new"/],
    ['an image name that is not valid', ['Nginx:x', '--as', 'k3s'], /invalid image name/],
    ['files of no known runtime', ['nginx'], /no configuration of a known container runtime/],
  ])('ends with 2 for %s', async (_, args, message) => {
    const {code, stderr, stdout} = await explainNode({'/etc/hosts': ''}, args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^hint: |invalid image name/m)
  })

  it('ends with 2 if there is nothing to read', async () => {
    const {code, stderr} = await runMirror(['config', 'explain', 'nginx', '--files', '/nothing/here'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/--files \/nothing\/here cannot be read: there is no such file/)
  })
})
