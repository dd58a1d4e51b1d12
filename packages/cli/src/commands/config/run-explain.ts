import {explain, parseRuntime} from '../../cluster/explain/explain.js'
import {explanationJson} from '../../cluster/explanation-json.js'
import {explanationLines} from '../../cluster/explanation-text.js'
import {readNodeFiles} from '../../cluster/files/read-node-files.js'
import type {ProbeAnswer} from '../../cluster/probe-answer.js'
import {runAsking} from '../../run/run-asking.js'
import type {Run} from '../../run/run.js'
import {flagReader, type FlagValues} from '../../settings/flag-values.js'
import {passwordWarnings, readRegistryFlags} from '../../settings/registry-settings.js'
import {parseDuration} from '../../text/parse-quantity.js'
import {jsonText, printable} from '../../text/printable.js'
import {probeTries} from './probe-tries.js'

/** The flags of the command. */
export interface ExplainFlags extends FlagValues {
  readonly files?: string
  readonly as?: string
  readonly json: boolean
  readonly probe: boolean
}

/**
 * Writes the explanation to standard output.
 * @throws {MirrorError} USAGE, NAME_INVALID, CONFIG_INVALID, LIMIT_EXCEEDED, and what `probeTries` throws
 */
export async function runConfigExplain(reference: string, flags: ExplainFlags): Promise<void> {
  const {files = '', as, json, probe} = flags
  const timeout = flagReader(flags).parsed('timeout', parseDuration)
  const choice = as === undefined ? undefined : parseRuntime(as)
  const nodeFiles = readNodeFiles(files, {as: choice?.runtime.name})
  const explanation = explain(reference, {files: nodeFiles, as: choice})
  const ask = async ({warn, stop}: Run): Promise<readonly ProbeAnswer[]> => {
    for (const text of passwordWarnings(flags)) warn(text)
    const settings = await readRegistryFlags(flags, 'target')
    return probeTries(explanation, {files: nodeFiles, settings, warn, signal: stop.soon})
  }
  const answers = probe ? await runAsking(ask, {timeout}) : undefined
  process.stdout.write(
    json
      ? `${jsonText(explanationJson(explanation, answers), 2)}\n`
      : explanationLines(explanation, answers)
          .map((line) => `${printable(line)}\n`)
          .join(''),
  )
}
