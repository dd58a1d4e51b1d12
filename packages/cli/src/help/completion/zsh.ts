import type {CommandEntry, FlagEntry} from '../command-entry.js'
import {argumentKind, kindOf, nextWords, topicsOf, type NextWord, type ValueKind} from './value-kind.js'

/** Completion for zsh: a file _mirror in a directory of $fpath, or sourced after compinit. */
export function zshCompletion(commands: readonly CommandEntry[]): string {
  const topics = topicsOf(commands)
  return `#compdef mirror
# zsh completion for mirror. Load it after compinit: source <(mirror completion zsh)
_mirror() {
  local -a next
  if [[ $words[2] == help ]] && (( CURRENT > 2 )); then
    shift words
    (( CURRENT-- ))
  fi
  if (( CURRENT == 2 )); then
    next=(
${nextWords(commands).map(described).join('\n')}
    )
    _describe -t commands command next
    return
  fi
  local command=$words[2]
  case $command in
${topics.map((topic) => topicArm(topic, nextWords(commands, topic))).join('\n')}
  esac
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(commandArm).join('\n')}
  esac
}
if [[ $funcstack[1] == _mirror ]]; then
  _mirror "$@"
else
  compdef _mirror mirror
fi
`
}

function topicArm(topic: string, next: readonly NextWord[]): string {
  return `    ${topic})
      if (( CURRENT == 3 )); then
        next=(
${next.map((one) => `    ${described(one)}`).join('\n')}
        )
        _describe -t commands command next
        return
      fi
      command="${topic} $words[3]"
      shift words
      (( CURRENT-- ))
      ;;`
}

function described({word, text}: NextWord): string {
  return `      ${quoted(`${word}:${text.replaceAll(':', String.raw`\:`)}`)}`
}

function commandArm(command: CommandEntry): string {
  const kind = argumentKind(command)
  const specs = [
    ...command.flags.map(flagSpec),
    ...(kind.type === 'none' ? [] : [quoted(`*:argument:${action(kind)}`)]),
  ]
  return `    ${quoted(command.name)})
      _arguments -S \\
        ${specs.join(' \\\n        ')}
      ;;`
}

function flagSpec(flag: FlagEntry): string {
  const kind = kindOf(flag)
  const often = flag.repeatable ? '*' : ''
  const text = flag.text.replaceAll(/[[\]\\]/g, String.raw`\$&`)
  if (kind.type === 'none') return quoted(`${often}--${flag.name}[${text}]`)
  const value = (flag.value ?? '').replaceAll(':', String.raw`\:`)
  return quoted(`${often}--${flag.name}=[${text}]:${value}:${action(kind)}`)
}

function action(kind: ValueKind): string {
  switch (kind.type) {
    case 'words':
      return `(${kind.words.join(' ')})`
    case 'files':
      return '_files'
    case 'directories':
      return '_files -/'
    case 'none':
    case 'text':
      break
  }
  return ' '
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
