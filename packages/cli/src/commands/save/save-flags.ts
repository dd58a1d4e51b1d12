import {repeated, text, toggle} from '../../settings/define-flag.js'
import {choosingFlags, lockFlags, metricsFlags, outputFlags, readingFlags} from '../../settings/flags.js'
import {sourceRegistryFlags} from '../../settings/registry-flags.js'

const writing = 'WRITING'

const writingFlags = {
  output: text('output', {
    description:
      'the bundle to write: a file (.tar, .tar.gz, .tar.zst or .tar.xz), a directory, or - for standard output (.tar)',
    helpValue: 'FILE|DIR|-',
    helpGroup: writing,
    required: true,
  }),
  'max-size': text('max-size', {
    description: 'split the bundle into volumes of at most this size, such as 4G for a FAT32 stick',
    helpValue: 'SIZE',
    helpGroup: writing,
  }),
  since: repeated('since', {
    description:
      'leave out blobs that the far side has, according to an older bundle, report, lock file or list',
    helpValue: 'OLD',
    helpGroup: writing,
  }),
  'sign-key': text('sign-key', {
    description: 'sign the checksums with this private key (PEM, ECDSA P-256 or Ed25519)',
    helpValue: 'FILE',
    helpGroup: writing,
  }),
  'docker-compatible': toggle('docker-compatible', {
    description: 'add manifest.json, for docker load without the containerd image store and for podman load',
    helpGroup: writing,
  }),
  threads: text('threads', {
    description:
      'blocks of a compressed bundle to pack at once; each takes about 70 MiB with xz, and 30 MiB otherwise [default: the number of processors, at most 2 with xz and 4 otherwise]',
    helpValue: 'N',
    helpGroup: writing,
  }),
  scratch: readingFlags.scratch,
}

/** Flags of `mirror save`. */
export const saveFlags = {
  images: repeated('images', {
    description: 'list of images, such as k3s-images.txt, or - for standard input',
    helpValue: 'LIST',
  }),
  config: text('config', {description: 'job file, or - for standard input', helpValue: 'FILE'}),
  ...writingFlags,
  ...sourceRegistryFlags,
  ...choosingFlags,
  ...lockFlags,
  ...outputFlags,
  ...metricsFlags,
}
