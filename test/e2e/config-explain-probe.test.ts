import {mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {addImage, freePort, makeAuthority, makeImage, makeTempDir, runMirror} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'

const SECRET = 'pa55word'

async function writeNode(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), {recursive: true})
    await writeFile(join(directory, path), text)
  }
}

interface Answer {
  readonly status?: number
  readonly digest?: string
  readonly error?: string
}

async function probe(node: string, args: readonly string[] = []): Promise<readonly Answer[]> {
  const {code, stdout, stderr} = await runMirror([
    'config',
    'explain',
    'team/app:1',
    '--files',
    node,
    '--probe',
    '--json',
    ...args,
  ])
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(stdout).not.toContain(SECRET)
  return (JSON.parse(stdout) as {tries: readonly {answer: Answer}[]}).tries.map(({answer}) => answer)
}

describe('mirror config explain --probe', () => {
  it('asks each URL with the certificate and the login that the files name', async () => {
    const authority = await makeAuthority()
    const tls = await authority.issue({hosts: ['127.0.0.1']})
    const image = await makeImage({seed: 'probe'})
    await using empty = await startRegistry({tls})
    await using full = await startRegistry({
      tls,
      auth: {type: 'basic', users: [{name: 'puller', password: SECRET}]},
    })
    await using node = await makeTempDir()
    await addImage(full, image, {repository: 'ns/team/app', tag: '1'})
    const plugin = 'plugins."io.containerd.grpc.v1.cri".registry'
    await writeNode(node.path, {
      'etc/containerd/config.toml': `version = 2\n[${plugin}]\nconfig_path = "/etc/containerd/certs.d"\n[${plugin}.configs."${full.host}".auth]\nusername = "puller"\npassword = "${SECRET}"\n`,
      'etc/containerd/certs.d/docker.io/ca.crt': authority.ca,
      'etc/containerd/certs.d/docker.io/hosts.toml': `server = "https://${full.host}/v2/ns"\noverride_path = true\nca = "ca.crt"\n[host."https://${empty.host}"]\nca = "ca.crt"\n`,
    })
    expect(await probe(node.path)).toEqual([
      {status: 404},
      {status: 200, digest: image.root.descriptor.digest},
    ])
    expect(empty.requests.map(({method, path}) => `${method} ${path}`)).toEqual([
      expect.stringMatching(/^HEAD \/v2\/team\/app\/manifests\/1/),
    ])
    const {stdout} = await runMirror(['config', 'explain', 'team/app:1', '--files', node.path, '--probe'])
    expect(stdout).toMatch(/answer: 404 \(no such image\)/)
    expect(stdout).toContain(
      `Probe: the image comes from https://${full.host}/v2/ns/team/app/manifests/1?ns=docker.io.`,
    )
  })

  it('shows why a URL does not answer, and goes on', async () => {
    const authority = await makeAuthority()
    const tls = await authority.issue({hosts: ['127.0.0.1']})
    await using untrusted = await startRegistry({tls})
    await using closed = await startRegistry({
      auth: {type: 'basic', users: [{name: 'puller', password: SECRET}]},
    })
    await using node = await makeTempDir()
    await writeNode(node.path, {
      'etc/containerd/certs.d/docker.io/hosts.toml': `server = "http://${closed.host}"\n[host."https://${untrusted.host}"]\n[host."http://127.0.0.1:${await freePort()}"]\n`,
    })
    const answers = await probe(node.path)
    expect(answers[0]?.error).toMatch(/certificate/)
    expect(answers[1]?.error).toMatch(/refuses/)
    expect(answers[2]?.error ?? String(answers[2]?.status)).toMatch(/401|login|credential/)
  })

  it('takes certificates and logins by flags too', async () => {
    const authority = await makeAuthority()
    const tls = await authority.issue({hosts: ['127.0.0.1']})
    const image = await makeImage({seed: 'flags'})
    await using registry = await startRegistry({
      tls,
      auth: {type: 'basic', users: [{name: 'puller', password: SECRET}]},
    })
    await using node = await makeTempDir()
    await addImage(registry, image, {repository: 'team/app', tag: '1'})
    await writeNode(node.path, {
      'etc/containerd/certs.d/docker.io/hosts.toml': `server = "https://${registry.host}"\n`,
      'flags/ca.pem': authority.ca,
      'flags/config.json': JSON.stringify({
        auths: {[registry.host]: {auth: Buffer.from(`puller:${SECRET}`).toString('base64')}},
      }),
    })
    const at = (name: string): string => join(node.path, 'flags', name)
    expect(await probe(node.path, ['--cacert', at('ca.pem'), '--docker-config', at('config.json')])).toEqual([
      {status: 200, digest: image.root.descriptor.digest},
    ])
  })
})
