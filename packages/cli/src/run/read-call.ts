import {MirrorError} from '@airgap-mirror/oci-client/model'
import {nearestWord} from '../text/nearest-word.js'
import {seeHelp} from './usage-error.js'

/** The request that arguments make. */
export type Call =
  /** `verbose`: with the runtime and the decoders. */
  | {readonly type: 'version'; readonly verbose: boolean}
  /** Help for the command `id`, for a topic, or for the program. `asked`: it was asked for, and not merely missing a command. */
  | {
      readonly type: 'help'
      readonly id?: string
      readonly topic?: string
      readonly all: boolean
      readonly asked: boolean
    }
  | {readonly type: 'run'; readonly id: string; readonly argv: readonly string[]}

export interface KnownCommands {
  /** Such as `config:emit`. */
  readonly ids: readonly string[]
  /** Ids by other names they go by. */
  readonly aliases: ReadonlyMap<string, string>
}

/**
 * Reads the arguments of the program: `help`, `-h`, `version` and `-v` are understood where people type them.
 * @throws {MirrorError} USAGE if there is no such command
 */
export function readCall(typed: readonly string[], known: KnownCommands): Call {
  const [first] = typed
  const end = typed.indexOf('--')
  const own = end < 0 ? typed : typed.slice(0, end)
  const others = own.slice(1).filter((argument) => argument !== '--verbose')
  if (own.includes('--version') || (others.length === 0 && (first === 'version' || first === '-v')))
    return {type: 'version', verbose: own.includes('--verbose')}
  const isHelp = first === 'help' || own.some((argument) => HELP.has(argument))
  const words = leadingWords(first === 'help' ? typed.slice(1) : typed)
  // `mirror push help` and `mirror config help` ask for help, too.
  const isLast = words.length > 1 && words.length === typed.length && words.at(-1) === 'help'
  const found = findCommand(isLast ? words.slice(0, -1) : words, known)
  if (isHelp || isLast) {
    const {id, topic} = found
    return {
      type: 'help',
      id,
      topic: id === undefined ? topic : undefined,
      all: own.includes('--all'),
      asked: true,
    }
  }
  if (found.id !== undefined) return {type: 'run', id: found.id, argv: typed.slice(found.words)}
  const [flag] = typed
  if (flag?.startsWith('-') === true) {
    throw new MirrorError('USAGE', `a command has to come before ${flag.replace(/=.*$/s, '')}`, {
      hint: seeHelp(undefined),
    })
  }
  return {type: 'help', topic: found.topic, all: false, asked: false}
}

const HELP: ReadonlySet<string> = new Set(['--help', '-h'])

/** The leading arguments that are no flags. */
function leadingWords(argv: readonly string[]): readonly string[] {
  const end = argv.findIndex((argument) => argument.startsWith('-'))
  return end < 0 ? argv : argv.slice(0, end)
}

interface Found {
  readonly id?: string
  readonly topic?: string
  /** The words that name the command. */
  readonly words: number
}

function findCommand([first, second]: readonly string[], {ids, aliases}: KnownCommands): Found {
  if (first === undefined) return {words: 0}
  const pair = `${first}:${second}`
  if (ids.includes(pair)) return {id: pair, words: 2}
  const other = aliases.get(pair)
  if (other !== undefined) return {id: other, words: 2}
  if (ids.includes(first)) return {id: first, words: 1}
  const topics = new Set(ids.flatMap((id) => (id.includes(':') ? [id.split(':')[0] ?? ''] : [])))
  if (!topics.has(first))
    throw noCommand(first, {known: [...ids.filter((id) => !id.includes(':')), ...topics]})
  if (second === undefined) return {topic: first, words: 1}
  const known = ids.filter((id) => id.startsWith(`${first}:`)).map((id) => id.slice(first.length + 1))
  throw noCommand(second, {known, topic: first})
}

function noCommand(
  word: string,
  {known, topic}: {readonly known: readonly string[]; readonly topic?: string},
): MirrorError {
  const nearest = nearestWord(word, known)
  const typed = topic === undefined ? '' : `${topic} `
  return new MirrorError('USAGE', `there is no command ${JSON.stringify(`${typed}${word}`)}`, {
    hint:
      nearest === undefined
        ? `Use one of: ${known.join(', ')}. "mirror ${typed}--help" says what they do.`
        : `Use "mirror ${typed}${nearest}". "mirror ${typed}--help" lists all commands.`,
  })
}
