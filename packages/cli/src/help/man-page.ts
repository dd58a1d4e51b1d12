import {RELEASED, VERSION} from '../text/version.js'
import type {CommandEntry, FlagEntry} from './command-entry.js'
import {usage} from './command-help.js'
import {exitCodes} from './exit-codes.js'
import {byGroup, headingOf} from './flag-groups.js'
import {filled, pasteable} from './lines.js'

/** A manual page in the macros of man(7). */
export interface ManPage {
  /** Such as `mirror-push.1`. */
  readonly file: string
  readonly text: string
}

/** The pages of the program: one for itself, and one for each command. */
export function manPages(commands: readonly CommandEntry[]): readonly ManPage[] {
  return [programPage(commands), ...commands.map(commandPage)]
}

function programPage(commands: readonly CommandEntry[]): ManPage {
  return page('mirror', [
    section('NAME', [String.raw`mirror \- carry container images across an air gap`]),
    section('SYNOPSIS', ['.B mirror', '.I COMMAND', escaped('[flags]')]),
    section('DESCRIPTION', [
      'Carries container images across an air gap: into a private registry, and on to',
      'the nodes that pull them.',
      'Every command has a page of its own and a short help:',
      String.raw`.BR "mirror COMMAND \-\-help" .`,
    ]),
    section(
      'COMMANDS',
      commands.flatMap(({name, summary}) => item(`.BR ${pageName(name)} (1)`, summary)),
    ),
    section(
      'ENVIRONMENT',
      [
        'Every flag can be set by a variable, which its description names. A flag wins over its variable.',
        'A flag that can be repeated takes one value a line.',
        'Proxies are read from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, credentials from the files of docker and podman.',
      ].flatMap(paragraph),
    ),
    section(
      'EXIT STATUS',
      Object.entries(exitCodes).flatMap(([code, text]) => item(`.B ${code}`, text)),
    ),
  ])
}

function commandPage(command: CommandEntry): ManPage {
  const {name, summary, description, flags, arguments: args, examples} = command
  const groups = byGroup(flags)
  return page(`mirror ${name}`, [
    section('NAME', paragraph(`mirror-${hyphened(name)} - ${lowered(summary)}`)),
    section('SYNOPSIS', [
      '.nf',
      ...pasteable(usage(command), '').map((line) => `.B ${escaped(line)}`),
      '.fi',
    ]),
    section('DESCRIPTION', [summary, description].filter((text) => text !== '').flatMap(paragraph)),
    ...(args.length === 0
      ? []
      : [
          section(
            'ARGUMENTS',
            args.flatMap((one) => item(`.I ${one.name}`, one.text)),
          ),
        ]),
    ...(groups.length === 0
      ? []
      : [
          section(
            'OPTIONS',
            groups.flatMap(([group, own]) =>
              (groups.length === 1 ? [] : [`.SS ${headingOf(group)}`]).concat(own.flatMap(flagItem)),
            ),
          ),
        ]),
    section('EXAMPLES', ['.nf', ...examples.flatMap(exampleLines), '.fi']),
    section('EXIT STATUS', ['As for all commands: see', '.BR mirror (1).']),
    section('SEE ALSO', ['.BR mirror (1)']),
  ])
}

function page(name: string, sections: readonly string[]): ManPage {
  const title = hyphened(name)
  const head = `.TH ${escaped(title.toUpperCase())} 1 "${RELEASED}" "mirror ${VERSION}" "User Commands"`
  return {file: `${title}.1`, text: `${[head, ...sections].join('\n')}\n`}
}

function section(heading: string, lines: readonly string[]): string {
  return [`.SH ${heading}`, ...lines].join('\n')
}

function flagItem({
  name,
  value,
  text,
  initial,
  repeatable,
  required,
  variable,
}: FlagEntry): readonly string[] {
  const head = value === undefined ? '' : ` " ${escaped(value)}"`
  const remarks = [
    ...(required ? ['Required.'] : []),
    ...(repeatable ? ['Can be repeated.'] : []),
    ...(initial === undefined ? [] : [`Default: ${initial}.`]),
    `Environment: ${variable}.`,
  ]
  return [
    '.TP',
    `.BR ${escaped(`--${name}`)}${head}`,
    ...paragraph(/[.!?]$/.test(text) ? text : `${text}.`),
    ...remarks.flatMap(paragraph),
  ]
}

function item(head: string, text: string): readonly string[] {
  return ['.TP', head, ...paragraph(text)]
}

function exampleLines(example: string): readonly string[] {
  return pasteable(example, '').map(escaped)
}

/** Each sentence on lines of its own, as man(7) wants it. */
function paragraph(text: string): readonly string[] {
  return text
    .split(/(?<=[.!?]) (?=[A-Z])/)
    .flatMap((sentence) => filled(inline(sentence), ''))
    .map(atStart)
}

/** A line that roff shows as it is. */
function escaped(text: string): string {
  return atStart(inline(text))
}

/** Names of variables are kept on one line. */
function inline(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll('"', String.raw`\(dq`)
    .replaceAll(/\b[A-Z]+_[A-Z_]+\b/g, String.raw`\%$&`)
}

/** Roff takes a line that begins with a full stop or a quote for an instruction. */
function atStart(line: string): string {
  return line.replace(/^[.']/, String.raw`\&$&`)
}

function hyphened(name: string): string {
  return name.replaceAll(' ', '-')
}

function pageName(name: string): string {
  return escaped(`mirror-${hyphened(name)}`)
}

function lowered(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1).replace(/\.$/, '')
}
