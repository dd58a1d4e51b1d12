import type {CommandEntry} from './command-entry.js'
import {filled, pasteable, WIDTH} from './lines.js'

const PURPOSE =
  'mirror carries container images across an air gap: into a private registry, and on to the nodes that pull them.'

/** The help of the program, or of a topic such as `config`: its commands, and the way to more. */
export function overview(commands: readonly CommandEntry[], topic?: string): string {
  const own = topic === undefined ? commands : commands.filter(({name}) => name.startsWith(`${topic} `))
  const width = Math.max(...own.map(({name}) => name.length)) + 4
  const typed = topic === undefined ? 'mirror' : `mirror ${topic}`
  const blocks: (readonly string[])[] = [
    topic === undefined ? filled(PURPOSE, '') : [`The commands of mirror ${topic}.`],
    ['Usage:', `  ${typed} COMMAND [flags]`],
    ['Commands:', ...own.flatMap((command) => row(command, width))],
    [`Help on a command: ${typed} COMMAND --help`],
  ]
  if (topic === undefined) blocks.push(['The first push:', ...pasteable(FIRST_PUSH, '  ')])
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

const FIRST_PUSH =
  'mirror push --source bundle.tar.xz --private-registry registry.example:5000/mirror --cacert ca.pem --dry-run'

function row({name, summary}: CommandEntry, width: number): readonly string[] {
  const indent = ' '.repeat(width)
  const [first = '', ...more] = filled(summary, indent)
  return [`  ${name}`.padEnd(width) + first.slice(width), ...more].map((line) => line.slice(0, WIDTH))
}
