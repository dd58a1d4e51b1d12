import {text, toggle} from '../../settings/define-flag.js'

/** Flags of `mirror config explain`. */
export const explainFlags = {
  files: text('files', {
    description: 'a directory in which files lie as on a node, or one file',
    helpValue: 'FILE|DIR',
    required: true,
  }),
  as: text('as', {
    description: 'the container runtime, if the files do not show it, and its version',
    helpValue: 'RUNTIME[@VERSION]',
  }),
  json: toggle('json', {description: 'the explanation as JSON on standard output', helpGroup: 'OUTPUT'}),
}
