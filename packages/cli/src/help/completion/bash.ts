import type {CommandEntry} from '../command-entry.js'
import {argumentKind, kindOf, nextWords, topicsOf, type ValueKind} from './value-kind.js'

/** Completion for bash from 3.2 on, without the package bash-completion. */
export function bashCompletion(commands: readonly CommandEntry[]): string {
  const topics = topicsOf(commands)
  return `# bash completion for mirror. Load it: source <(mirror completion bash)
_mirror() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} IFS=$' \\t\\n'
  # bash takes --flag=value for three words.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  local command= word index=1 kind=none words= flags=
  while ((index < COMP_CWORD)); do
    word=\${COMP_WORDS[index]}
    [[ $word == -* ]] && break
    index=$((index + 1))
    [[ -z $command && $word == help ]] && continue
    command=\${command:+$command }$word
    case $command in
      ${topics.join(' | ')}) ;;
      *) break ;;
    esac
  done
  case $command in
    '') kind=words words=${quoted(namesOf(commands))} ;;
${topics.map((topic) => `    ${topic}) kind=words words=${quoted(namesOf(commands, topic))} ;;`).join('\n')}
${commands.map(commandArm).join('\n')}
  esac
  if [[ $kind != value:* && $cur == -* ]]; then kind=words words="$flags --help"; fi
  COMPREPLY=()
  case \${kind#value:} in
    words) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
    files | directories)
      local action=-f
      [[ $kind == *directories ]] && action=-d
      compopt -o filenames 2>/dev/null
      IFS=$'\\n'
      COMPREPLY=($(compgen $action -- "$cur"))
      ;;
  esac
}
complete -F _mirror mirror
`
}

function namesOf(commands: readonly CommandEntry[], topic?: string): string {
  return nextWords(commands, topic)
    .map(({word}) => word)
    .join(' ')
}

function commandArm(command: CommandEntry): string {
  const {name, flags} = command
  const byKind = new Map<string, string[]>()
  for (const flag of flags) {
    const kind = kindOf(flag)
    if (kind.type === 'none') continue
    const arm = assignment(kind, 'value:')
    byKind.set(arm, [...(byKind.get(arm) ?? []), `--${flag.name}`])
  }
  const arms = [...byKind].map(([arm, names]) => `        ${names.join(' | ')}) ${arm} ;;`)
  return [
    `    ${quoted(name)})`,
    `      flags=${quoted(flags.map((flag) => `--${flag.name}`).join(' '))}`,
    `      ${assignment(argumentKind(command), '')}`,
    ...(arms.length === 0 ? [] : ['      case $prev in', ...arms, '      esac']),
    '      ;;',
  ].join('\n')
}

function assignment(kind: ValueKind, prefix: string): string {
  return kind.type === 'words'
    ? `kind=${prefix}words words=${quoted(kind.words.join(' '))}`
    : `kind=${prefix}${kind.type}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
