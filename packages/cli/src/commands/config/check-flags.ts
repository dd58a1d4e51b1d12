import {repeated, text, toggle} from '../../settings/define-flag.js'
import {outputFlags} from '../../settings/flags.js'
import {privateRegistryFlags} from '../../settings/registry-flags.js'

const {
  'limit-rate': _limitRate,
  'chunk-size': _chunkSize,
  'private-registry': _privateRegistry,
  ...registryFlags
} = privateRegistryFlags({required: false})

/** Flags of `mirror config check`. Without --private-registry, nothing is asked over the network. */
export const checkFlags = {
  images: repeated('images', {
    description: 'the images of this list, or - for standard input',
    helpValue: 'LIST',
  }),
  source: text('source', {
    description: 'the images of a bundle (a file or a directory)',
    helpValue: 'BUNDLE',
  }),
  pods: repeated('pods', {
    description: 'the images of pods or of manifests: output of "kubectl get pods -A -o json", or YAML',
    helpValue: 'FILE',
  }),
  report: text('report', {
    description: 'the images of a report of push or sync, at their targets in it',
    helpValue: 'FILE',
  }),
  files: text('files', {
    description: 'directory in which files lie as on a node, or one file',
    helpValue: 'FILE|DIR',
    required: true,
  }),
  as: text('as', {
    description: 'container runtime and version, if the files do not show them',
    helpValue: 'RUNTIME[@VERSION]',
  }),
  'private-registry': text('private-registry', {
    description: 'also ask this registry for each image, by the tag or digest that nodes use',
    helpValue: 'HOST[:PORT][/NAMESPACE]',
    helpGroup: 'REGISTRY',
  }),
  ...registryFlags,
  timeout: outputFlags.timeout,
  json: toggle('json', {description: 'the result as JSON on standard output', helpGroup: 'OUTPUT'}),
}
