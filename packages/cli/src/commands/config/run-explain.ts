import {explain, parseRuntime} from '../../cluster/explain.js'
import {explanationJson} from '../../cluster/explanation-json.js'
import {explanationLines} from '../../cluster/explanation-text.js'
import {readNodeFiles} from '../../cluster/files/read-node-files.js'
import {jsonText, printable} from '../../text/printable.js'

export interface ExplainSettings {
  readonly reference: string
  readonly files: string
  readonly as?: string | undefined
  readonly json: boolean
}

/**
 * Writes the explanation to standard output.
 * @throws {MirrorError} USAGE, NAME_INVALID, CONFIG_INVALID, LIMIT_EXCEEDED
 */
export function runConfigExplain({reference, files, as, json}: ExplainSettings): void {
  const choice = as === undefined ? undefined : parseRuntime(as)
  const nodeFiles = readNodeFiles(files, {as: choice?.runtime.name})
  const explanation = explain(reference, {files: nodeFiles, as: choice})
  process.stdout.write(
    json
      ? `${jsonText(explanationJson(explanation), 2)}\n`
      : explanationLines(explanation)
          .map((line) => `${printable(line)}\n`)
          .join(''),
  )
}
