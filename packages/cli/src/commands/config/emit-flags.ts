import {ADMISSIONS, FALLBACKS} from '../../cluster/emit/emission.js'
import {emitTargets} from '../../cluster/emit/targets.js'
import {repeated, text, toggle} from '../../settings/define-flag.js'
import {namingFlags} from '../../settings/naming-flags.js'
import {privateRegistryFlags} from '../../settings/registry-flags.js'

const output = 'OUTPUT'
const node = 'WHAT NODES ARE TOLD'

const {
  concurrency: _concurrency,
  'limit-rate': _limitRate,
  retries: _retries,
  'retry-max-wait': _retryMaxWait,
  'chunk-size': _chunkSize,
  'need-credential': _needCredential,
  ...registryFlags
} = privateRegistryFlags({required: false})

/** Flags of `mirror config emit`. Nothing is asked of the registry, so there are none for its speed. */
export const emitFlags = {
  for: text('for', {
    description: `target of the configuration, with a version if it is an old one: ${emitTargets.join(', ')}`,
    helpValue: 'TARGET[@VERSION]',
    suggestions: emitTargets,
    required: true,
  }),
  report: text('report', {
    description: 'the images of a report of push or sync',
    helpValue: 'FILE',
  }),
  source: text('source', {
    description: 'the images of a bundle (a file or a directory)',
    helpValue: 'BUNDLE',
  }),
  images: repeated('images', {description: 'the images of this list', helpValue: 'LIST'}),
  host: repeated('host', {
    description: 'every image of this source registry, or "*" for all registries',
    helpValue: 'HOST',
  }),
  fallback: text('fallback', {
    description:
      'keep or cut the way to the original registry, which nodes try after the mirror [default: keep]',
    helpValue: 'keep|cut',
    helpGroup: node,
    options: [...FALLBACKS],
  }),
  admit: text('admit', {
    description:
      'crio, podman, openshift: admit only the source names of the images, or any image [default: sources; openshift: any]',
    helpValue: 'sources|any',
    helpGroup: node,
    options: [...ADMISSIONS],
  }),
  block: repeated('block', {
    description: 'crio, podman, openshift: refuse images of this registry or repository',
    helpValue: 'NAME',
    helpGroup: node,
  }),
  search: repeated('search', {
    description: 'crio, podman, openshift: look up short names in this registry',
    helpValue: 'HOST',
    helpGroup: node,
  }),
  'signature-key': text('signature-key', {
    description: 'crio, podman, openshift: require signatures by this public key',
    helpValue: 'FILE',
    helpGroup: node,
  }),
  'deprecated-mirrors': toggle('deprecated-mirrors', {
    description: 'containerd before 2.0: write registry.mirrors into config.toml instead of certs.d',
    helpGroup: node,
  }),
  'inline-credentials': toggle('inline-credentials', {
    description: 'write the login for the private registry into the files',
    helpGroup: node,
  }),
  ...registryFlags,
  ...namingFlags,
  into: text('into', {
    description: 'bmctl: add the mirror to this cluster file, and leave the rest of it as it is',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  output: text('output', {
    description:
      'write the files below this directory, with their paths on a node [default: standard output]',
    helpValue: 'DIR',
    helpGroup: output,
  }),
  overwrite: toggle('overwrite', {
    description: 'replace files that this command did not write',
    helpGroup: output,
  }),
}
