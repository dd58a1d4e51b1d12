import {describe, expect, test} from 'vitest'
import {commands} from '#src/commands/index.js'
import {commandEntries, MOST_COMMON} from '#src/help/command-entry.js'
import {commandHelp} from '#src/help/command-help.js'
import {helpText} from '#src/help/help-text.js'
import {variableOf} from '#src/settings/variables.js'

const entries = commandEntries(commands)
const ids = Object.keys(commands)

/** The names of flags that help lists, in its order. */
function listed(help: string): readonly string[] {
  return [...help.matchAll(/^ {2}--([\w-]+)/gm)].map(([, name = '']) => name)
}

test.each([undefined, 'config'])('the commands below %s fit 80 columns', (topic) => {
  expect(tooWide(helpText(commands, {topic, all: false}))).toEqual([])
})

function tooWide(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.length > 80)
}

describe.each(entries)('the help of $name', (entry) => {
  const short = commandHelp(entry, {all: false})
  const full = commandHelp(entry, {all: true})
  const required = entry.flags.filter((flag) => flag.required).map(({name}) => name)

  test('fits 80 columns, has no colours, and ends in a line break', () => {
    expect(tooWide(short)).toEqual([])
    expect(tooWide(full)).toEqual([])
    expect(short + full).not.toContain('\u001b')
    expect(short).toMatch(/[^\n]\n$/)
  })

  test('has one order: usage, arguments, required flags, others, examples', () => {
    const headings = [...short.matchAll(/^([A-Z][^:\n]*):$/gm)].map(([, heading = '']) => heading)
    const known = [
      'Usage',
      ...(entry.arguments.length === 0 ? [] : ['Arguments']),
      ...(required.length === 0 ? [] : ['Required flags']),
    ]
    expect(headings.slice(0, known.length)).toEqual(known)
    expect(headings.at(-1)).toBe('Examples')
    expect(listed(short).slice(0, required.length)).toEqual(required)
  })

  test('shows ten flags at most besides those that are required, and says where the others are', () => {
    const names = entry.flags.map(({name}) => name)
    const isCut = names.length - required.length > entry.common.length
    const expected = isCut ? [...required, ...entry.common.map(({name}) => name)] : names
    expect(listed(short).toSorted()).toEqual(expected.toSorted())
    expect(expected.length - required.length).toBeLessThanOrEqual(MOST_COMMON)
    expect(short.includes(`mirror ${entry.name} --help --all, docs/flags.md`)).toBe(isCut)
  })

  test('lists every flag once with --all, each with its variable', () => {
    const names = listed(full)
    expect([...names].toSorted()).toEqual(entry.flags.map(({name}) => name).toSorted())
    for (const name of names) expect(full).toContain(`[env: ${variableOf(name)}]`)
  })

  test('has examples that begin with the program and use its own flags', () => {
    expect(entry.examples.length).toBeGreaterThan(0)
    for (const example of entry.examples) {
      expect(example.startsWith(`mirror ${entry.name} `)).toBe(true)
      const used = [...example.matchAll(/ --([\w-]+)/g)].map(([, name = '']) => name)
      expect(used.filter((name) => !entry.flags.some((flag) => flag.name === name))).toEqual([])
      for (const flag of required) expect(used).toContain(flag)
    }
  })

  test('names flags that exist as the common ones', () => {
    const named = commands[ids[entries.indexOf(entry)] as keyof typeof commands] as {
      common?: readonly string[]
    }
    const known = new Set(entry.flags.map(({name}) => name))
    expect((named.common ?? []).filter((name) => !known.has(name))).toEqual([])
  })
})

test('an example that is broken over lines is one command to a shell', () => {
  const [push] = entries
  const help = push === undefined ? '' : commandHelp(push, {all: false})
  const [, shown = ''] = /Examples:\n([\s\S]*)$/.exec(help) ?? []
  const typed = shown
    .replaceAll(/ \\\n\s*/g, ' ')
    .trim()
    .split(/\n\s*/)
  expect(typed).toEqual(push?.examples)
})
