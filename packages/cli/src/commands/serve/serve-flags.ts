import {repeated, text, toggle} from '../../settings/define-flag.js'
import {readingFlags, signatureFlags, stateFlags} from '../../settings/flags.js'

const serving = 'SERVING'

/** Flags of `mirror serve`. */
export const serveFlags = {
  source: repeated('source', {
    description: 'a bundle to serve: a file, a directory or the first volume; repeatable',
    helpValue: 'BUNDLE',
  }),
  writable: text('writable', {
    description: 'take pushes too, and keep them in the OCI layout DIR',
    helpValue: 'DIR',
    helpGroup: serving,
  }),
  listen: text('listen', {
    description: 'the address and port to listen on; without an address, on all',
    helpValue: '[ADDRESS]:PORT',
    helpGroup: serving,
  }),
  'tls-cert': text('tls-cert', {
    description: 'the certificate chain of the server, as PEM',
    helpValue: 'FILE',
    helpGroup: serving,
  }),
  'tls-key': text('tls-key', {
    description: 'the key of --tls-cert, as PEM',
    helpValue: 'FILE',
    helpGroup: serving,
  }),
  'plain-http': toggle('plain-http', {
    description: 'serve without TLS',
    helpGroup: serving,
    exclusive: ['tls-cert'],
  }),
  htpasswd: text('htpasswd', {
    description: 'let only users of this file read and push; "htpasswd -B" writes it',
    helpValue: 'FILE',
    helpGroup: serving,
  }),
  verbose: toggle('verbose', {description: 'print a line for each request', helpGroup: 'OUTPUT'}),
  scratch: text('scratch', {
    description: 'directory for a copy of decoded content [default: the temporary directory]',
    helpValue: 'DIR',
    helpGroup: 'READING',
    exclusive: ['no-scratch'],
  }),
  'scratch-size': text('scratch-size', {
    description:
      'the most bytes of that copy, such as 20G; what was read longest ago makes room [default: all of the disk but 256 MiB]',
    helpValue: 'SIZE',
    helpGroup: 'READING',
    exclusive: ['no-scratch'],
  }),
  'no-scratch': readingFlags['no-scratch'],
  ...signatureFlags,
  ...stateFlags,
}
