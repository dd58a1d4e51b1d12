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
    description: `what the configuration is for, with its version if it is an old one: ${emitTargets.join(', ')}`,
    helpValue: 'TARGET[@VERSION]',
    required: true,
  }),
  report: text('report', {
    description: 'the images of a report that a push or a sync wrote',
    helpValue: 'FILE',
  }),
  source: text('source', {
    description: 'the images of a bundle: file or directory',
    helpValue: 'BUNDLE',
  }),
  images: repeated('images', {description: 'the images of this list; repeatable', helpValue: 'LIST'}),
  host: repeated('host', {
    description: 'every image of this source registry, or "*" for all registries; repeatable',
    helpValue: 'HOST',
  }),
  fallback: text('fallback', {
    description: 'whether nodes may ask the registry in the name after the mirror [default: keep]',
    helpValue: 'keep|cut',
    helpGroup: node,
    options: ['keep', 'cut'],
  }),
  admit: text('admit', {
    description:
      'crio, podman, openshift: admit only the source names of the images, or any image [default: sources; openshift: any]',
    helpValue: 'sources|any',
    helpGroup: node,
    options: ['sources', 'any'],
  }),
  block: repeated('block', {
    description: 'crio, podman, openshift: a registry or repository that must not be pulled; repeatable',
    helpValue: 'NAME',
    helpGroup: node,
  }),
  search: repeated('search', {
    description: 'crio, podman, openshift: a registry in which short names are looked up; repeatable',
    helpValue: 'HOST',
    helpGroup: node,
  }),
  'signature-key': text('signature-key', {
    description: 'crio, podman, openshift: the public key that the images must be signed with',
    helpValue: 'FILE',
    helpGroup: node,
  }),
  'deprecated-mirrors': toggle('deprecated-mirrors', {
    description: 'containerd before 2.0: write registry.mirrors into config.toml instead of certs.d',
    helpGroup: node,
  }),
  'inline-credentials': toggle('inline-credentials', {
    description: 'write the login of the private registry into the files',
    helpGroup: node,
  }),
  ...registryFlags,
  ...namingFlags,
  into: text('into', {
    description: 'bmctl: put the mirror into this cluster file, leaving everything else in it as it is',
    helpValue: 'FILE',
    helpGroup: output,
  }),
  output: text('output', {
    description: 'write the files below this directory, as they lie on a node [default: standard output]',
    helpValue: 'DIR',
    helpGroup: output,
  }),
  overwrite: toggle('overwrite', {
    description: 'replace files that this command did not write',
    helpGroup: output,
  }),
}
