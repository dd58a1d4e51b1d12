import {copyFile, cp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
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
import {
  cli,
  environment,
  lacksRuntimes,
  makeBareRoot,
  neededGlibc,
  outputsOf,
  packageInto,
  succeed,
} from './package-kit.js'

const NAME = 'docker.io/library/app:v1'

async function bundleEntries(): Promise<readonly Entry[]> {
  const image = await makeImage({seed: 'packaged', layers: 1, layerSize: 20_000})
  return ociLayout([{image, annotations: {'io.containerd.image.name': NAME}}])
}

const isRoot = process.getuid?.() === 0
const tools = [
  'aarch64-linux-gnu-g++',
  'x86_64-linux-gnu-g++',
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

  test('is the same archive again, whatever the time zone and the mask of the second build are, and with files of an older build', async () => {
    const older = join(cli, 'dist/bundle/of-an-older-build.js')
    await writeFile(older, '')
    const command = `umask 077; exec "$0" "$1" --codec=gzip --arch=x64 --only=archive --output="$2"`
    const {code, stderr} = await runChild(
      '/bin/sh',
      ['-c', command, process.execPath, join(cli, 'dist/release/package.js'), at('again')],
      {env: {...environment, TZ: 'Asia/Tokyo'}, timeout: 280_000},
    )
    await rm(older)
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

  test('needs glibc 2.28, except for one fast binary that another one stands behind', async () => {
    const needed: Record<string, number> = {}
    for (const architecture of ['x64', 'arm64']) {
      const program = unpacked(architecture)
      for (const file of await readdir(program, {recursive: true}))
        if (/\.node$|\/node\/bin\/node$/.test(file))
          needed[`${architecture}/${file}`] = await neededGlibc(join(program, file))
    }
    const fast = 'x64/lib/mirror/node_modules/node-liblzma/prebuilds/linux-x64/node-liblzma.node'
    expect(needed[fast]).toBe(34)
    expect(Object.keys(needed)).toHaveLength(5)
    const newer = Object.keys(needed).filter((file) => (needed[file] ?? Infinity) > 28)
    expect(newer).toEqual([fast])
  })

  test('reads and writes xz by liblzma where glibc is too old for the fast binary', async () => {
    await cp(unpacked('x64'), at('older'), {recursive: true})
    const binary = at('older/lib/mirror/node_modules/node-liblzma/prebuilds/linux-x64/node-liblzma.node')
    const bytes = (await readFile(binary)).toString('latin1').replaceAll('GLIBC_2.34', 'GLIBC_9.99')
    await writeFile(binary, bytes, 'latin1')
    const program = at('older/bin/mirror')
    const source = ['--source', at('bundle.tar.xz'), ...target('older'), '--no-state', '--verbose']
    const {stderr} = await outputsOf(program, ['push', ...source])
    expect(stderr).toMatch(/^decoders: xz by node-liblzma,/m)
    await writeFile(at('older.txt'), `${registry.host}/older/library/app:v1\n`)
    const save = ['save', '--images', at('older.txt'), '--source-plain-http', '--output']
    await succeed(program, [...save, at('older.tar.xz')])
    await succeed(join(unpacked('x64'), 'bin/mirror'), [...save, at('newer.tar.xz')])
    expect((await readFile(at('older.tar.xz'))).equals(await readFile(at('newer.tar.xz')))).toBe(true)
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
      const inside = await succeed('dpkg-deb', ['-c', deb])
      expect(inside).toContain('./usr/bin/mirror -> ../lib/airgap-mirror/bin/mirror')
      expect(inside).toContain('./usr/share/doc/airgap-mirror/copyright')
      expect(inside).not.toContain('SHA256SUMS')
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
      const inside = ['--userspec=65532:65532', mounted]
      const entrypoint = ['/opt/mirror/lib/node/bin/node', '/opt/mirror/lib/mirror/bin/run.js']
      const stdout = await succeed('chroot', [...inside, ...entrypoint, '--version'])
      expect(await succeed('chroot', [...inside, '/usr/bin/mirror', '--version'])).toBe(stdout)
      expect((await stat(join(mounted, 'tmp'))).mode & 0o7777).toBe(0o1777)
      const status = await readFile(join(mounted, 'var/lib/dpkg/status.d/libc6'), 'utf8')
      expect(status).toMatch(/^Package: libc6\n[^]*^Version: \S/m)
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
        expect.arrayContaining([
          ...natives.filter((name) => name !== 'node-liblzma-compiled'),
          'undici',
          '@oclif/core',
          'xz',
          'openssl',
          'vitepress',
        ]),
      )
      expect(listed('library')).not.toContain('typescript')
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
