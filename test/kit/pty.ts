import {spawn} from 'node:child_process'
import {findTool} from './tool.js'

export interface DialogueStep {
  /** Looked for in what came since the step before. */
  readonly expect: RegExp
  /** Typed then; `\r` is the return key. */
  readonly send: string
}

export interface PtyOptions {
  readonly dialogue: readonly DialogueStep[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Files to put in place of the terminal; it stays the controlling terminal, `/dev/tty`. */
  readonly stdin?: string
  readonly stdout?: string
  /** Milliseconds; default 240,000. */
  readonly timeout?: number
}

export interface PtyResult {
  readonly code: number | undefined
  /** All that the terminal showed, echo included. */
  readonly transcript: string
}

/**
 * Runs a program under a pseudo-terminal of 24 by 100, through util-linux' `script` (Debian's bsdutils, always there),
 * and holds a dialogue with it.
 * @throws if the dialogue does not end in time, with the transcript
 */
export async function runInTerminal(
  command: string,
  args: readonly string[],
  options: PtyOptions,
): Promise<PtyResult> {
  const program = findTool('script')
  if (program === undefined) throw new Error('not installed: script')
  const redirections = [
    ...(options.stdin === undefined ? [] : ['<', quoted(options.stdin)]),
    ...(options.stdout === undefined ? [] : ['>', quoted(options.stdout)]),
  ]
  const line = ['exec', ...[command, ...args].map(quoted), ...redirections].join(' ')
  const terminal = spawn(program, ['-qfec', `stty rows 24 cols 100; ${line}`, '/dev/null'], {
    env: {...options.env, SHELL: '/bin/sh'},
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: options.cwd,
  })
  terminal.stdin.on('error', () => undefined)
  const steps = [...options.dialogue]
  let transcript = ''
  let heard = 0
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    transcript += text
    for (;;) {
      const step = steps[0]
      const match = step?.expect.exec(transcript.slice(heard))
      if (step === undefined || match === null || match === undefined) return
      heard += match.index + match[0].length
      steps.shift()
      terminal.stdin.write(step.send)
    }
  })
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${why}; the terminal showed:\n${transcript}`))
    const timer = setTimeout(() => {
      terminal.kill('SIGTERM')
      fail(steps[0] === undefined ? 'it did not end' : `${String(steps[0].expect)} never came`)
    }, options.timeout ?? 240_000)
    terminal.once('error', reject)
    terminal.once('close', (code) => {
      clearTimeout(timer)
      if (steps[0] === undefined) resolve({code: code ?? undefined, transcript})
      else fail(`${String(steps[0].expect)} never came`)
    })
  })
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
