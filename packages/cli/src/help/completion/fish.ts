import type {CommandEntry, FlagEntry} from '../command-entry.js'
import {argumentKind, kindOf, nextWords, topicsOf, type NextWord, type ValueKind} from './value-kind.js'

/** Completion for fish from 3.0 on. */
export function fishCompletion(commands: readonly CommandEntry[]): string {
  const topics = topicsOf(commands)
  return `# fish completion for mirror. Load it: mirror completion fish | source
function __fish_mirror_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l command
    for word in $words
        string match -q -- '-*' $word; and break
        test "$command" = '' -a "$word" = help; and continue
        set -a command $word
        contains -- "$command" ${topics.join(' ')}; or break
    end
    test "$command" = "$argv"
end
complete -c mirror -f
${nextWords(commands)
  .map((next) => wordLine('', next))
  .join('\n')}
${topics.flatMap((topic) => nextWords(commands, topic).map((next) => wordLine(topic, next))).join('\n')}
${commands.flatMap(commandLines).join('\n')}
`
}

function wordLine(at: string, {word, text}: NextWord): string {
  return `complete -c mirror -n ${condition(at)} -a ${word} -d ${quoted(text)}`
}

function commandLines(command: CommandEntry): readonly string[] {
  const head = `complete -c mirror -n ${condition(command.name)}`
  const kind = argumentKind(command)
  return [
    ...(kind.type === 'none' ? [] : [`${head}${values(kind).replace(/^ -[rx]/, '')}`]),
    ...command.flags.map((flag) => `${head} ${flagOptions(flag)}`),
  ]
}

function flagOptions(flag: FlagEntry): string {
  return `-l ${flag.name}${values(kindOf(flag))} -d ${quoted(flag.text)}`
}

function values(kind: ValueKind): string {
  switch (kind.type) {
    case 'none':
      return ''
    case 'words':
      return ` -x -a ${quoted(kind.words.join(' '))}`
    case 'files':
      return ' -r -F'
    case 'directories':
      return " -x -a '(__fish_complete_directories)'"
    case 'text':
      break
  }
  return ' -x'
}

function condition(command: string): string {
  return quoted(command === '' ? "__fish_mirror_at ''" : `__fish_mirror_at ${command}`)
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}
