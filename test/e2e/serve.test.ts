import {createHash} from 'node:crypto'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {
  cleanEnvironment,
  compress,
  containerdSocket,
  criPull,
  dockerArchive,
  makeAuthority,
  makeImage,
  makeTempDir,
  ociLayout,
  requireTool,
  runChild,
  runMirror,
  skopeo,
  startContainerd,
  startMirror,
  tarBytes,
  writeTar,
  type Child,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {until} from './until.js'

const APP = 'docker.io/library/app:v1'
const TOOL = 'quay.io/team/tool:v2'
const NAMESAKE = 'quay.io/library/app:v1'
const OLD = 'docker.io/library/old:v3'

describe('mirror serve', () => {
  let directory: TempDir
  let images: {
    readonly app: TestImage
    readonly tool: TestImage
    readonly namesake: TestImage
    readonly old: TestImage
  }
  let server: Child
  let origin: string
  const at = (...names: string[]): string => join(directory.path, ...names)
  const named = (image: TestImage, name: string) => ({image, annotations: {'io.containerd.image.name': name}})

  /** Starts a server on a free port, and returns it with the address that it prints. */
  async function serve(
    ...args: readonly string[]
  ): Promise<{readonly child: Child; readonly address: string}> {
    const child = await startMirror(['serve', '--listen', '127.0.0.1:0', ...args], {timeout: 900_000})
    const address = (): string | undefined => /on (https?:\/\/\S+);/.exec(child.stderr)?.[1]
    await until(() => address() !== undefined)
    return {child, address: address() ?? ''}
  }

  beforeAll(async () => {
    directory = await makeTempDir()
    const make = (seed: string) => makeImage({seed: `served ${seed}`, layers: 2, layerSize: 30_000})
    images = {
      app: await make('app'),
      tool: await make('tool'),
      namesake: await make('namesake'),
      old: await makeImage({seed: 'served old', layers: 2, layerSize: 30_000, format: 'docker'}),
    }
    const layout = ociLayout([
      named(images.app, APP),
      named(images.tool, TOOL),
      named(images.namesake, NAMESAKE),
    ])
    await writeFile(
      at('bundle.tar.xz'),
      await compress(await tarBytes(layout), {type: 'xz', blockSize: 20_000}),
    )
    await writeTar(at('old.tar'), dockerArchive([{image: images.old, tags: [OLD]}]))
    const started = await serve('--plain-http', '--source', at('bundle.tar.xz'), '--source', at('old.tar'))
    server = started.child
    origin = started.address
  })

  afterAll(async () => {
    server.kill('SIGTERM')
    await server.result
    await directory[Symbol.asyncDispose]()
  })

  const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${origin}${path}`, init)
  const digestAt = async (path: string): Promise<string | null> =>
    (await ask(path, {method: 'HEAD'})).headers.get('docker-content-digest')

  test('finds an image by its path, by its registry and path, and by the ns that containerd sends', async () => {
    const {app, tool, namesake} = images
    expect(await digestAt('/v2/library/app/manifests/v1')).toBe(app.root.descriptor.digest)
    expect(await digestAt('/v2/docker.io/library/app/manifests/v1')).toBe(app.root.descriptor.digest)
    expect(await digestAt('/v2/library/app/manifests/v1?ns=quay.io')).toBe(namesake.root.descriptor.digest)
    expect(await digestAt('/v2/library/app/manifests/v1?ns=registry-1.docker.io')).toBe(
      app.root.descriptor.digest,
    )
    expect(await digestAt('/v2/team/tool/manifests/v2?ns=quay.io')).toBe(tool.root.descriptor.digest)
    expect(await digestAt('/v2/library/app/manifests/v9')).toBeNull()
  })

  test('says at its start which names mean two images', () => {
    expect(server.stderr).toContain('library/app is an image of docker.io and of quay.io')
  })

  test('does not warn of a bundle of blocks, because each is read by itself', () => {
    expect(server.stderr).not.toContain('can only be read from its start')
  })

  test('serves a blob whole and in part, with the bytes of its digest', async () => {
    const layer = images.app.platforms[0]?.layers[0]?.descriptor
    const path = `/v2/library/app/blobs/${layer?.digest}`
    const whole = Buffer.from(await (await ask(path)).arrayBuffer())
    expect(`sha256:${createHash('sha256').update(whole).digest('hex')}`).toBe(layer?.digest)
    const part = await ask(path, {headers: {range: 'bytes=10-19'}})
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${whole.length}`)
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(10, 20))).toBe(true)
    expect((await ask(path, {headers: {range: 'bytes=99999999-'}})).status).toBe(416)
  })

  test('is read-only, and answers what it does not know as a registry does', async () => {
    const refused = await ask('/v2/library/app/blobs/uploads/', {method: 'POST'})
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    const unknown = await ask('/v2/library/nothing/manifests/v1')
    expect([unknown.status, await unknown.json()]).toMatchObject([404, {errors: [{code: 'NAME_UNKNOWN'}]}])
    for (const path of ['/', '/v2/../../etc/passwd', '/v3/']) expect((await ask(path)).status).toBe(404)
    expect((await ask('/v2/%E0%A4%A/manifests/x')).status).toBe(400)
  })

  test('mirror save brings a list from it, digests kept', async () => {
    await writeFile(at('list.txt'), `${origin.slice('http://'.length)}/quay.io/team/tool:v2\n`)
    const {code, stderr} = await runMirror([
      'save',
      '--images',
      at('list.txt'),
      '--source-plain-http',
      '--output',
      at('again.tar'),
    ])
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const {stdout} = await runMirror(['inspect', at('again.tar'), '--json'])
    expect(stdout).toContain(images.tool.root.descriptor.digest)
  })

  test('lets Debian’s skopeo and podman read, docker-archives too', async (context) => {
    requireTool(context, 'skopeo', 'podman')
    const host = origin.slice('http://'.length)
    for (const path of ['library/app:v1', 'quay.io/team/tool:v2', 'library/old:v3']) {
      await skopeo(['copy', '--src-tls-verify=false', `docker://${host}/${path}`, `oci:${at('skopeo')}:x`])
    }
    const storage = ['--root', at('podman'), '--runroot', at('podman-run'), '--storage-driver', 'vfs']
    await writeFile(at('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
    const {code, stderr} = await runChild(
      'podman',
      [
        ...storage,
        'pull',
        '--signature-policy',
        at('policy.json'),
        '--tls-verify=false',
        `${host}/library/old:v3`,
      ],
      {env: cleanEnvironment(directory.path)},
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  })

  test('is the mirror of every registry for Debian’s containerd, by one hosts.toml', async (context) => {
    requireTool(context, 'containerd')
    if (process.getuid?.() !== 0) context.skip('containerd needs the rights of root')
    await mkdir(at('hosts/_default'), {recursive: true})
    await mkdir(at('node'))
    await writeFile(
      at('hosts/_default/hosts.toml'),
      `server = "${origin}"\n[host."${origin}"]\n  capabilities = ["pull", "resolve"]\n`,
    )
    await writeFile(
      at('config.toml'),
      `version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd]\n  snapshotter = "native"\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "${at('hosts')}"\n`,
    )
    const containerd = await startContainerd({
      directory: at('node'),
      config: at('config.toml'),
      env: cleanEnvironment(directory.path),
    })
    try {
      for (const image of [APP, TOOL, NAMESAKE]) {
        expect({image, ...(await criPull(containerdSocket(at('node')), image))}).toMatchObject({status: 0})
      }
    } finally {
      containerd.kill('SIGTERM')
      await containerd.result
    }
  })

  test('asks for a login over TLS, if it was given certificates and users', async () => {
    const authority = await makeAuthority()
    const {cert, key} = await authority.issue({hosts: ['127.0.0.1']})
    const files = {'cert.pem': cert, 'key.pem': key, 'ca.pem': authority.ca, htpasswd: HTPASSWD}
    for (const [name, text] of Object.entries(files)) await writeFile(at(name), text)
    const {child, address} = await serve(
      '--source',
      at('bundle.tar.xz'),
      '--htpasswd',
      at('htpasswd'),
      '--tls-cert',
      at('cert.pem'),
      '--tls-key',
      at('key.pem'),
    )
    try {
      const copy = (...login: readonly string[]) =>
        runMirror([
          'copy',
          `docker://${address.slice('https://'.length)}/team/tool:v2`,
          `oci:${at('copied')}`,
          '--source-cacert',
          at('ca.pem'),
          ...login,
        ])
      const refused = await copy('--source-username', 'reader', '--source-password', 'wrong')
      expect(refused).toMatchObject({code: 1})
      expect(refused.stderr).toContain('refuses the user name')
      expect(await copy('--source-username', 'reader', '--source-password', 'secret')).toMatchObject({
        code: 0,
      })
    } finally {
      child.kill('SIGTERM')
    }
    expect(await child.result).toMatchObject({code: 0})
  })

  test.for([
    [['--source', 'x.tar'], 'a server without TLS has to be asked for'],
    [['--source', 'x.tar', '--tls-cert', 'c.pem'], '--tls-cert needs its counterpart'],
    [['--source', '-', '--plain-http'], '--source - cannot be served'],
    [['--plain-http'], 'there is nothing to serve'],
    [['--source', 'x.tar', '--plain-http', '--scratch-size', 'x'], 'not a size: "x"'],
    [['--source', 'x.tar', '--plain-http', '--listen', '5000'], '--listen "5000" is not [ADDRESS]:PORT'],
  ] as const)('%j is a usage error: %s', async ([args, message]) => {
    const {code, stderr} = await runMirror(['serve', ...args])
    expect({code}, `printed: ${stderr}`).toEqual({code: 2})
    expect(stderr).toContain(message)
  })
})

/** reader:secret */
const HTPASSWD = `reader:$2y$05$WdhumQ42MRAObtT/KjXSgeF99I8bpVhJG5exDIKbCNGgNO/DYLeS6\n`
