import {execFileSync} from 'node:child_process'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {buffer} from 'node:stream/consumers'
import {openBundleSink} from '@airgap-mirror/bundle'
import {
  digestOf,
  mediaTypes,
  parseManifest,
  parseReference,
  type BlobSource,
  type Descriptor,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import {packed} from './packed.js'
import type {Architecture} from './places.js'
import {tarOf} from './tar.js'
import {copyOf, fileOf, type Entry} from './tree.js'

/** The image's content for an architecture. */
export interface Variant {
  readonly architecture: Architecture
  /** The program below `opt/mirror`. */
  readonly entries: readonly Entry[]
}

export interface ImageOptions {
  readonly version: string
  readonly modified: Date
}

/** Debian's C and C++ libraries, which Node.js needs, by where their packages put them. */
const LIBRARIES = {
  x64: {
    from: '/lib/x86_64-linux-gnu',
    loader: {from: '/lib64/ld-linux-x86-64.so.2', path: 'lib64/ld-linux-x86-64.so.2'},
    triplet: 'x86_64-linux-gnu',
    packages: ['libc6:amd64', 'libstdc++6:amd64', 'libgcc-s1:amd64'],
    licences: ['libc6', 'libstdc++6'],
  },
  arm64: {
    from: '/usr/aarch64-linux-gnu/lib',
    loader: {from: '/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1', path: 'lib/ld-linux-aarch64.so.1'},
    triplet: 'aarch64-linux-gnu',
    packages: ['libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libgcc-s1-arm64-cross'],
    licences: ['libc6-arm64-cross', 'libstdc++6-arm64-cross'],
  },
} as const
const NEEDED = ['libc.so.6', 'libdl.so.2', 'libgcc_s.so.1', 'libm.so.6', 'libpthread.so.0', 'libstdc++.so.6']

/** `mirror` without a shell, which the image does not have. */
const STARTER = "#!/opt/mirror/lib/node/bin/node\nimport('/opt/mirror/lib/mirror/bin/run.js')\n"

/** Any number but root's, which a restricted cluster refuses. */
const USER = 65532

/**
 * Writes an image of the program for several architectures as an OCI archive, by the code that writes bundles.
 * @throws if Debian's libraries for an architecture are not installed
 */
export async function writeImage(
  path: string,
  variants: readonly Variant[],
  {version, modified}: ImageOptions,
): Promise<void> {
  const name = parseReference(`localhost/mirror:${version}`)
  await using sink = await openBundleSink(
    {kind: 'file', path},
    {codec: 'plain', scratch: tmpdir(), nameOf: (target) => (target.tag === undefined ? undefined : name)},
  )
  const children: (Descriptor & {readonly platform: object})[] = []
  for (const {architecture, entries} of variants) {
    const tar = await buffer(tarOf([...(await base(architecture)), ...entries], {prefix: '', modified}))
    const layer = blobOf(await packed(chunksOf(tar), 'gzip'), mediaTypes.ociLayerGzip)
    const config = blobOf(
      json(configOf(architecture, {diffId: digestOf(tar), version, modified})),
      mediaTypes.ociConfig,
    )
    for (const blob of [config, layer]) await sink.putBlob(name.repository, blob)
    const manifest = manifestOf({config: config.content, layers: [layer.content]}, mediaTypes.ociManifest)
    await sink.putManifest(
      {registry: name.registry, repository: name.repository, digest: manifest.descriptor.digest},
      manifest,
    )
    children.push({...manifest.descriptor, platform: platformOf(architecture)})
  }
  await sink.putManifest(name, manifestOf({manifests: children}, mediaTypes.ociIndex))
  await sink.finish()
}

/** The root file system below the program: libraries, their licences, and a user without rights. */
async function base(architecture: Architecture): Promise<readonly Entry[]> {
  const {from, loader, triplet, packages, licences} = LIBRARIES[architecture]
  try {
    return [
      await copyOf(loader.from, loader.path),
      ...(await Promise.all(NEEDED.map((file) => copyOf(join(from, file), `usr/lib/${triplet}/${file}`)))),
      ...(await Promise.all(
        licences.map((name) => copyOf(`/usr/share/doc/${name}/copyright`, `usr/share/doc/${name}/copyright`)),
      )),
      ...packages.map((name) => fileOf(`var/lib/dpkg/status.d/${name.replace(/:.*/, '')}`, statusOf(name))),
      await copyOf('/etc/os-release', 'etc/os-release'),
      fileOf(
        'etc/passwd',
        `root:x:0:0:root:/:/sbin/nologin\nmirror:x:${USER}:${USER}:mirror:/home/mirror:/sbin/nologin\n`,
      ),
      fileOf('etc/group', `root:x:0:\nmirror:x:${USER}:\n`),
      fileOf('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
      fileOf('usr/bin/mirror', STARTER, 0o755),
      fileOf('tmp/.keep', ''),
    ]
  } catch (cause) {
    throw new Error(`the image for ${architecture} needs Debian's libraries: install ${packages.join(' ')}`, {
      cause,
    })
  }
}

const STATUS = [
  'Package: ${Package}',
  'Status: install ok installed',
  'Maintainer: ${Maintainer}',
  'Architecture: ${Architecture}',
  'Source: ${source:Package} (${source:Version})',
  'Version: ${Version}',
  '',
].join('\n')

/** Returns the package's entry in dpkg's database, by which scanners find the versions of libraries. */
function statusOf(name: string): string {
  return execFileSync('dpkg-query', ['--show', `--showformat=${STATUS}`, name], {encoding: 'utf8'})
}

function configOf(
  architecture: Architecture,
  {diffId, version, modified}: {readonly diffId: string; readonly version: string; readonly modified: Date},
): object {
  return {
    created: modified.toISOString(),
    ...platformOf(architecture),
    config: {
      User: `${USER}:${USER}`,
      Env: ['PATH=/usr/bin', 'HOME=/tmp'],
      Entrypoint: ['/opt/mirror/lib/node/bin/node', '/opt/mirror/lib/mirror/bin/run.js'],
      WorkingDir: '/tmp',
      Labels: {
        'org.opencontainers.image.title': 'mirror',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    },
    rootfs: {type: 'layers', diff_ids: [diffId]},
    history: [{created: modified.toISOString(), created_by: 'mirror package'}],
  }
}

function platformOf(architecture: Architecture): {readonly os: string; readonly architecture: string} {
  return {os: 'linux', architecture: architecture === 'x64' ? 'amd64' : 'arm64'}
}

function manifestOf(content: object, mediaType: string): Manifest {
  return parseManifest(json({schemaVersion: 2, mediaType, ...content}))
}

function blobOf(bytes: Uint8Array, mediaType: string): BlobSource & {readonly content: Descriptor} {
  return {
    content: {mediaType, digest: digestOf(bytes), size: bytes.length},
    async *open({offset = 0} = {}) {
      yield bytes.subarray(offset)
    },
  }
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function json(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}
