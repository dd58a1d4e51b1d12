import {MirrorError} from '@airgap-mirror/oci-client/model'
import {nearestWord} from '../text/nearest-word.js'
import {seeHelp} from './usage-error.js'

/**
 * The command that arguments begin with, as its id (`config:emit`); undefined if they only ask for help or name a topic.
 * @throws {MirrorError} USAGE if there is no such command
 */
export function commandIn(argv: readonly string[], ids: readonly string[]): string | undefined {
  const [first, second] = wordsOf(argv)
  if (first === undefined) return undefined
  const topics = new Set(ids.flatMap((id) => (id.includes(':') ? [id.split(':')[0] ?? ''] : [])))
  if (ids.includes(first)) return first
  if (!topics.has(first)) {
    throw noCommand(first, {known: [...ids.filter((id) => !id.includes(':')), ...topics]})
  }
  if (second === undefined) return undefined
  const id = `${first}:${second}`
  if (ids.includes(id)) return id
  const known = ids.filter((one) => one.startsWith(`${first}:`)).map((one) => one.slice(first.length + 1))
  throw noCommand(second, {known, topic: first})
}

/** The leading arguments that are no flags. */
function wordsOf(argv: readonly string[]): readonly string[] {
  const end = argv.findIndex((argument) => argument.startsWith('-'))
  return end < 0 ? argv : argv.slice(0, end)
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
        ? seeHelp(topic)
        : `Use "mirror ${typed}${nearest}". "mirror ${typed}--help" lists all commands.`,
  })
}
