import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {requireTool, runChild, withTempDir} from '@airgap-mirror/test/kit'
import {commands} from '#src/commands/index.js'
import {commandEntries} from '#src/help/command-entry.js'
import {completionScript} from '#src/help/completion/completion.js'
import {manPages} from '#src/help/man-page.js'

const entries = commandEntries(commands)
const push = entries.find(({name}) => name === 'push')

/** Files among which the shells complete. */
async function inFolder(work: (directory: string) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    await writeFile(join(directory, 'bundle.tar'), '')
    await mkdir(join(directory, 'folder of mine'))
    await work(directory)
  })
}

/** Text up to the cursor, and some of what is offered then; `exactly`: all of it. */
const CASES: readonly (readonly [typed: string, offered: readonly string[], exactly?: 'exactly'])[] = [
  ['mirror pu', ['push'], 'exactly'],
  ['mirror ', ['push', 'sync', 'copy', 'save', 'verify', 'config', 'completion', 'help', 'version']],
  ['mirror config em', ['emit'], 'exactly'],
  ['mirror config ', ['check', 'emit', 'explain', 'import'], 'exactly'],
  ['mirror help ver', ['verify', 'version']],
  ['mirror help config im', ['import'], 'exactly'],
  ['mirror completion ', ['bash', 'zsh', 'fish'], 'exactly'],
  ['mirror push --sou', ['--source'], 'exactly'],
  ['mirror push --progress ', ['auto', 'bar', 'json', 'none', 'plain'], 'exactly'],
  ['mirror push --json --map-host k', ['keep'], 'exactly'],
  ['mirror config emit --for k3', ['k3s'], 'exactly'],
  ['mirror push --source bun', ['bundle.tar'], 'exactly'],
  ['mirror push --private-registry ', [], 'exactly'],
]

function check(offered: readonly string[], [typed, expected, exactly]: (typeof CASES)[number]): void {
  const found = {typed, offered: offered.toSorted()}
  const wanted = {typed, offered: expected.toSorted()}
  expect(
    exactly === undefined
      ? {...found, offered: wanted.offered.filter((word) => offered.includes(word))}
      : found,
  ).toEqual(wanted)
}

describe('completion', () => {
  test('of bash offers commands, flags, values and files, in a real bash', async (context) => {
    requireTool(context, 'bash')
    await inFolder(async (cwd) => {
      const script = completionScript('bash', entries)
      for (const one of [...CASES, ['mirror push --progress=p', ['plain'], 'exactly'] as const]) {
        const words = one[0].replaceAll('=', ' = ').split(' ')
        const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}
_mirror && printf '%s\\n' "\${COMPREPLY[@]}"`
        const {stdout, stderr} = await runChild('bash', ['-euc', `${script}\n${ask}`], {cwd})
        expect(stderr).toBe('')
        check(lines(stdout), one)
      }
    })
  })

  test('of fish offers commands, flags, values and files, in a real fish', async (context) => {
    requireTool(context, 'fish')
    await inFolder(async (cwd) => {
      const asks = CASES.map(([typed]) => `complete -C '${typed}'; echo ---`).join('\n')
      const script = `${completionScript('fish', entries)}\n${asks}`
      const env = {PATH: process.env['PATH'], HOME: cwd}
      const {stdout, stderr} = await runChild('fish', ['--no-config', '-c', script], {cwd, env})
      expect(stderr).toBe('')
      const answers = stdout.split('---\n').slice(0, -1)
      expect(answers).toHaveLength(CASES.length)
      for (const [index, one] of CASES.entries())
        check(
          lines(answers[index] ?? '').map((line) => line.split('\t')[0] ?? ''),
          one,
        )
    })
  })

  test('of zsh is taken by a real zsh', async (context) => {
    requireTool(context, 'zsh')
    await withTempDir(async (directory) => {
      await writeFile(join(directory, '_mirror'), completionScript('zsh', entries))
      const {code, stderr} = await runChild('zsh', ['-n', '_mirror'], {
        cwd: directory,
        env: {PATH: process.env['PATH']},
      })
      expect({code, stderr}).toEqual({code: 0, stderr: ''})
    })
  })

  test.each(['bash', 'zsh', 'fish'] as const)('of %s knows every flag of push', (shell) => {
    const script = completionScript(shell, entries)
    for (const {name} of push?.flags ?? [])
      expect(script).toContain(shell === 'fish' ? ` -l ${name}` : `--${name}`)
  })
})

describe('manual pages', () => {
  const pages = manPages(entries)

  test('there is one for the program and one for each command, with all its flags', () => {
    expect(pages.map(({file}) => file)).toEqual([
      'mirror.1',
      ...entries.map(({name}) => `mirror-${name.replaceAll(' ', '-')}.1`),
    ])
    for (const [index, {flags}] of entries.entries()) {
      const text = pages[index + 1]?.text ?? ''
      for (const {name, variable} of flags) {
        expect(text).toContain(`.BR \\-\\-${name.replaceAll('-', '\\-')}`)
        expect(text).toContain(variable)
      }
    }
  })

  test('mandoc finds nothing wrong with them', async (context) => {
    requireTool(context, 'mandoc')
    await withTempDir(async (directory) => {
      for (const {file, text} of pages) await writeFile(join(directory, file), text)
      const files = pages.map(({file}) => file)
      const {code, stdout, stderr} = await runChild('mandoc', ['-T', 'lint', ...files], {cwd: directory})
      expect({code, stdout, stderr}).toEqual({code: 0, stdout: '', stderr: ''})
    })
  })
})

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}
