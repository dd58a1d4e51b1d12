import {createHash} from 'node:crypto'
import {packed} from './packed.js'
import {tarOf} from './tar.js'
import {fileOf, moved, type Entry} from './tree.js'

export interface DebOptions {
  readonly version: string
  /** Debian's name of the architecture. */
  readonly architecture: 'amd64' | 'arm64'
  readonly modified: Date
  readonly codec: 'xz' | 'gzip'
}

const COPYRIGHT = `Copyright 2026 The mirror authors, Apache-2.0: see LICENSE and NOTICE in this directory.
For the packages inside see THIRD-PARTY-NOTICES.txt in this directory, and below /usr/lib/airgap-mirror
lib/node/LICENSE and the LICENSE of each directory in lib/mirror/node_modules.
`

/**
 * As Debian installs it: one directory, and the files for shells, `man` and readers where they look for them. dpkg has the
 * checksums.
 */
export function installed(entries: readonly Entry[]): readonly Entry[] {
  const files = entries.filter(({path}) => path !== 'SHA256SUMS')
  return [
    ...moved(files, installedPath),
    fileOf('usr/share/doc/airgap-mirror/copyright', COPYRIGHT),
    {path: 'usr/bin/mirror', target: '../lib/airgap-mirror/bin/mirror'},
  ]
}

function installedPath(path: string): string {
  if (!path.startsWith('share/')) return `usr/lib/airgap-mirror/${path}`
  return `usr/${path.replace(/^share\/doc\/mirror\//, 'share/doc/airgap-mirror/')}`
}

/** Returns a Debian package (deb(5)) of entries that are named as they are installed, without the first `/`. */
export async function debOf(entries: readonly Entry[], options: DebOptions): Promise<Uint8Array> {
  const {modified, codec} = options
  const ending = codec === 'gzip' ? 'gz' : 'xz'
  const control = [
    fileOf('control', controlOf(entries, options)),
    fileOf('md5sums', entries.flatMap((entry) => ('target' in entry ? [] : [checksumLine(entry)])).join('')),
  ]
  return arOf(
    [
      {name: 'debian-binary', bytes: Buffer.from('2.0\n')},
      {name: `control.tar.${ending}`, bytes: await packed(tarOf(control, {prefix: './', modified}), codec)},
      {name: `data.tar.${ending}`, bytes: await packed(tarOf(entries, {prefix: './', modified}), codec)},
    ],
    modified,
  )
}

function controlOf(entries: readonly Entry[], {version, architecture}: DebOptions): string {
  const size = entries.reduce((sum, entry) => sum + ('target' in entry ? 0 : entry.bytes.length), 0)
  return [
    'Package: airgap-mirror',
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: The mirror authors <noreply@example.invalid>',
    `Installed-Size: ${Math.ceil(size / 1024)}`,
    'Depends: libc6 (>= 2.28), libstdc++6, libgcc-s1',
    'Section: admin',
    'Priority: optional',
    'Description: Carries container images across an air gap',
    ' mirror streams image bundles and image lists into a private registry, saves them',
    ' on the connected side, and proves that everything arrived.',
    '',
  ].join('\n')
}

function checksumLine({path, bytes}: {readonly path: string; readonly bytes: Uint8Array}): string {
  return `${createHash('md5').update(bytes).digest('hex')}  ${path}\n`
}

/** The common ar format: a magic line, then a header of 60 bytes before each member, which is padded to an even size. */
function arOf(
  members: readonly {readonly name: string; readonly bytes: Uint8Array}[],
  modified: Date,
): Uint8Array {
  const seconds = Math.floor(modified.getTime() / 1000)
  const parts: Uint8Array[] = [Buffer.from('!<arch>\n')]
  for (const {name, bytes} of members) {
    const fields = [
      name.padEnd(16),
      String(seconds).padEnd(12),
      '0'.padEnd(6),
      '0'.padEnd(6),
      '100644'.padEnd(8),
    ]
    parts.push(Buffer.from(`${fields.join('')}${String(bytes.length).padEnd(10)}\`\n`), bytes)
    if (bytes.length % 2 === 1) parts.push(Buffer.from('\n'))
  }
  return Buffer.concat(parts)
}
