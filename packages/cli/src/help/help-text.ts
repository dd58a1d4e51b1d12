import {commandEntries, type CommandDefinition} from './command-entry.js'
import {commandHelp} from './command-help.js'
import {overview} from './overview.js'

export interface HelpRequest {
  /** Such as `config:emit`; absent: the program or a topic. */
  readonly id?: string
  readonly topic?: string
  /** Every flag. */
  readonly all: boolean
}

/** Help as it is printed: at 80 columns, without colours. */
export function helpText(
  commands: Readonly<Record<string, CommandDefinition>>,
  {id, topic, all}: HelpRequest,
): string {
  const entries = commandEntries(commands)
  const at = id === undefined ? -1 : Object.keys(commands).indexOf(id)
  const entry = entries[at]
  return entry === undefined ? overview(entries, topic) : commandHelp(entry, {all})
}
