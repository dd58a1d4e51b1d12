import {programFlags, type ProgramFlag} from './program-flags.js'

const INTRODUCTION = `# Flags of \`mirror push\`

Made from \`packages/cli/src/settings/flags.ts\`. Do not edit it: change that file, then run
\`npx vitest run test/docs.test.ts -u\`.

Every flag can be set in the environment instead, under the name that is given with it. A flag wins over its variable. A
switch is set with \`true\`; a flag that can be repeated takes one value a line.

SIZE is bytes, or \`64MiB\` and \`64M\` (both 2^20), or \`4GB\` (10^9). RATE is a SIZE a second. DURATION is \`30s\`, \`5m\`,
\`1h\`. The LIST of \`--images\` is a file of references, one a line, or \`-\` for standard input.
`

/** In the order in which a reader meets them. */
const GROUPS = ['', 'REGISTRY', 'NAMING', 'CHOOSING', 'READING', 'OUTPUT'] as const

const TITLES: Readonly<Record<string, string>> = {
  '': 'What to push',
  REGISTRY: 'The registry',
  NAMING: 'Names in the registry',
  CHOOSING: 'Which images',
  READING: 'Reading the bundle',
  OUTPUT: 'Output',
}

/** docs/flags.md, as the built program has it. */
export const flagsPage = async (): Promise<string> => {
  const flags = [...(await programFlags())]
  const groups = new Set([...GROUPS, ...flags.map(([, {helpGroup = ''}]) => helpGroup)])
  const sections = [...groups].map((group) => {
    const own = flags.filter(([, {helpGroup = ''}]) => helpGroup === group)
    return `## ${TITLES[group] ?? group}\n\n${own.map(([name, flag]) => item(name, flag)).join('\n')}\n`
  })
  return [INTRODUCTION, ...sections].join('\n')
}

const item = (name: string, flag: ProgramFlag): string => {
  const {description, helpValue, multiple = false, required = false} = flag
  const [, text = description, initial] = /^(.*?)\s*\[default: (.*)\]$/.exec(description) ?? []
  const remarks = [
    ...(required ? ['Required.'] : []),
    ...(initial === undefined ? [] : [`Default: ${initial}.`]),
    ...(multiple && !text.includes('repeatable') ? ['Repeatable.'] : []),
    `Environment: \`MIRROR_${name.toUpperCase().replaceAll('-', '_')}\`.`,
  ]
  const usage = helpValue === undefined ? `--${name}` : `--${name} ${helpValue}`
  return `- \`${usage}\`: ${text}. ${remarks.join(' ')}`
}
