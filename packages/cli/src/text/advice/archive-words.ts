import type {ForeignCompression} from '@airgap-mirror/oci-client/model'
import {given, type Setting, type Words} from './words.js'

/** Archives and directories: those that are read, and those that are written. */
export const archiveWords = {
  'check-path': 'Check the path, and the right to read it.',
  'copy-again': 'Copy or download the file again, and compare its checksum.',
  'copy-again-whole': 'Copy or download the file again, and compare its checksum: it is incomplete.',
  'collect-volumes': 'Put all volumes of the bundle into one directory.',
  'copy-volumes-again': 'Copy the volumes again, each under its own name.',
  'use-writing-version': 'Use the version of this program that wrote it, or a later one.',
  'use-signature-key': 'Give a key of ECDSA P-256 or Ed25519 in PEM, without a passphrase.',
  'refuse-unsigned': 'Do not use it, until it was fetched again with the signature of who made it.',
  'make-again': 'Fetch or make it again: it is damaged, or was made wrongly.',
  'complete-archive': 'Make it again with all content, or use a registry that has this content already.',
  'follow-links': 'Copy the source with its links followed, as cp -rL, rsync -rL and tar -h do.',
  'wait-until-written': 'Wait until it has been written completely, then run this again.',
  'check-copied-whole': 'Check that the file was copied whole.',
  'join-parts': 'Put the parts of the split file together first: this is one of them.',
  'give-archive': 'Give a tar archive, plain or compressed with gzip, xz or zstd, or a directory.',
  'give-images':
    'Give a docker-archive, an OCI layout, a skopeo dir:, an imgpkg tar, or an archive or directory of these.',
  'save-with-current-docker': 'Load it into a current docker, and save it again.',
  'save-with-current-tool':
    'Pull and save the image again with a current tool: it will be stored as schema 2 or OCI.',
  'store-artifact-again':
    'Store the artifact again with a current tool, as an image manifest: OCI 1.1 was released without the other kind.',
  'save-with-other-options': 'Make it again with another tool or other options.',
  'open-inner-archives': 'Unpack it, and use the archives inside it one by one.',
  'unpack-if-trusted': 'If it is not a bomb, unpack it, and use its content on its own.',
  'refuse-if-unknown': 'Check where it comes from: no usual tool makes such input.',
  'use-larger-zstd-frames': 'Compress it again in larger frames: zstd -dc FILE | zstd -T0 > NEW.',
  'archive-without-sparse-files': 'Write the archive again without sparse files.',
  decompress: (setting, {compression}) => decompress(setting, compression),
  'allow-scratch': ({flag}) =>
    `Give it as a file${given(flag('no-scratch'), (without) => `, or leave out ${without}`)}.`,
  'give-as-file': ({flag}) =>
    `Run this again, which sends only what has not arrived, or give the bundle as a file${given(flag('scratch'), (scratch) => `, or with ${scratch} DIR`)}.`,
  'use-another-scratch': ({flag}) =>
    given(
      flag('scratch'),
      (scratch) => `Name a directory with more room with ${scratch} DIR, or decompress the file first.`,
    ) || 'Make room in the temporary directory, or decompress the file first.',

  'choose-one-platform': ({flag}) =>
    `${given(flag('platform'), (platform) => `Choose one with ${platform}, such as ${platform} linux/amd64, or `) || 'Choose one platform, or '}write an oci-archive.`,
  'use-oci-archive': 'Write an oci-archive, which holds artifacts and foreign layers, too.',
  'use-oci-archive-if-trusted':
    'If it is not a bomb, write an oci-archive, which keeps its layers as they are.',
  'free-disk': 'Make room on that disk, or name a place on another.',
  'use-writable-place': 'Name a place in a directory that exists, is writable and has room.',
  'use-new-file': 'Name a file that does not exist yet.',
  'use-new-archive':
    'Remove it, or name another file: an oci-archive is replaced, and an OCI layout (oci:) is added to.',
  'use-empty-directory': 'Name an empty directory, or one that does not exist yet.',
  'use-another-directory': 'Name another directory, or remove this one.',
  'write-zstd': 'Name a file that ends in .tar.zst.',
  'run-again': 'Run this again.',
} satisfies Partial<Words>

const TOOLS: Readonly<Record<ForeignCompression, string>> = {
  bzip2: 'bzip2 -dc FILE',
  lz4: 'lz4 -dc FILE',
  compress: 'gzip -dc FILE',
  lzip: 'lzip -dc FILE',
  zip: 'unzip -p FILE',
  xz: 'xz -dc FILE',
  'zstd-dictionary': 'zstd -dc -D DICTIONARY FILE',
  'zstd-long-window': 'zstd -dc -M2048MiB FILE',
}

function decompress({command, flag}: Setting, compression: ForeignCompression): string {
  const newer =
    compression === 'zstd-long-window' ? 'Run with Node.js 22.15 or later, or decompress' : 'Decompress'
  const tool = TOOLS[compression]
  const piped = given(
    flag('source'),
    (source) => `${newer} it on the way in with "${tool} | mirror ${command} ${source} - …".`,
  )
  return piped || `${newer} it first with "${tool} > NEW.tar".`
}
