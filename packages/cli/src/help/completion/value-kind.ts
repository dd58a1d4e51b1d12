import type {CommandEntry, FlagEntry} from '../command-entry.js'

/** The values of a flag or an argument, as a shell completes them. */
export type ValueKind =
  | {readonly type: 'none'}
  | {readonly type: 'words'; readonly words: readonly string[]}
  | {readonly type: 'files' | 'directories' | 'text'}

/** Placeholders that stand for files. */
const FILES = /FILE|BUNDLE|LIST|OLD/

/** The kind of a flag's value, by its choices and its placeholder. */
export function kindOf({value, choices}: Pick<FlagEntry, 'value' | 'choices'>): ValueKind {
  if (value === undefined) return {type: 'none'}
  if (choices.length > 0) return {type: 'words', words: choices}
  if (FILES.test(value)) return {type: 'files'}
  if (value === 'DIR') return {type: 'directories'}
  const words = value.split('|').filter((word) => /^[a-z0-9-]+$/.test(word))
  return words.length > 0 ? {type: 'words', words} : {type: 'text'}
}

/** The kind of a command's arguments; files unless they are chosen from words. */
export function argumentKind({arguments: args}: CommandEntry): ValueKind {
  const [first] = args
  if (first === undefined) return {type: 'none'}
  return first.choices.length > 0 ? {type: 'words', words: first.choices} : {type: 'files'}
}

/** The first words of commands of several words, such as `config`. */
export function topicsOf(commands: readonly CommandEntry[]): readonly string[] {
  return [...new Set(commands.flatMap(({name}) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : [])))]
}

/** A word that comes next, with what is said of it. */
export interface NextWord {
  readonly word: string
  readonly text: string
}

/** The words that can follow `mirror`, or a topic. */
export function nextWords(commands: readonly CommandEntry[], topic?: string): readonly NextWord[] {
  if (topic !== undefined) {
    return commands
      .filter(({name}) => name.startsWith(`${topic} `))
      .map(({name, summary}) => ({word: name.slice(topic.length + 1), text: summary}))
  }
  return [
    ...commands
      .filter(({name}) => !name.includes(' '))
      .map(({name, summary}) => ({word: name, text: summary})),
    ...topicsOf(commands).map((name) => ({word: name, text: `The commands of mirror ${name}.`})),
    {word: 'help', text: 'Show help.'},
    {word: 'version', text: 'Show the version.'},
  ]
}
