import {text, toggle} from '../../settings/define-flag.js'
import {outputFlags} from '../../settings/flags.js'
import {targetRegistryFlags} from '../../settings/registry-flags.js'

const {
  cacert,
  'client-cert': clientCert,
  'client-key': clientKey,
  'docker-config': dockerConfig,
  proxy,
  'no-proxy': noProxy,
} = targetRegistryFlags

/** Flags of `mirror config explain`. */
export const explainFlags = {
  files: text('files', {
    description: 'directory in which files lie as on a node, or one file',
    helpValue: 'FILE|DIR',
    required: true,
  }),
  as: text('as', {
    description: 'container runtime and version, if the files do not show them',
    helpValue: 'RUNTIME[@VERSION]',
  }),
  probe: toggle('probe', {
    description:
      'ask each URL as the node would, with the certificates and logins in its files, and show the answers',
  }),
  cacert,
  'client-cert': clientCert,
  'client-key': clientKey,
  'docker-config': dockerConfig,
  proxy,
  'no-proxy': noProxy,
  timeout: outputFlags.timeout,
  json: toggle('json', {description: 'the explanation as JSON on standard output', helpGroup: 'OUTPUT'}),
}
