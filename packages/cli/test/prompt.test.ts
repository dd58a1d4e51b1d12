import {spawn, spawnSync} from 'node:child_process'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'

const ENTER = '\r'
const DOWN = '\u001B[B'
const CTRL_C = '\u0003'
const PASSWORD = 'correct horse battery'

/** `script` of util-linux gives a program a real pseudo-terminal. */
const terminals = spawnSync('script', ['--version']).status === 0

let directory: string
let program: string
let between: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-prompt-'))
  program = join(directory, 'ask.mjs')
  await writeFile(join(directory, 'config.json'), '{}')
  const prompt = new URL('../dist/run/prompt/credential-prompt.js', import.meta.url).href
  await writeFile(
    program,
    `import {writeFileSync} from 'node:fs'
import {canPrompt, promptCredential} from ${JSON.stringify(prompt)}
const [answer, options] = process.argv.slice(2)
const {abortAfter, ...question} = JSON.parse(options)
const signal = abortAfter === undefined ? undefined : AbortSignal.timeout(abortAfter)
const result = await promptCredential({...question, signal}).catch(({code, message}) => ({code, message}))
writeFileSync(answer, JSON.stringify({...result, canPrompt: canPrompt()}))
`,
  )
  const terminal = new URL('../dist/run/prompt/controlling-terminal.js', import.meta.url).href
  between = join(directory, 'between.mjs')
  await writeFile(
    between,
    `import {writeFileSync} from 'node:fs'
import {setTimeout as delay} from 'node:timers/promises'
import {withTerminal} from ${JSON.stringify(terminal)}
await withTerminal(async ({input, output}) => {
  input.setRawMode(false) // as readline does after each question
  output().write('between questions')
  await delay(500)
  input.resume()
  await delay(50)
})
writeFileSync(process.argv[2], '{}')
`,
  )
})
afterAll(async () => {
  await rm(directory, {recursive: true})
})

interface Dialogue {
  readonly transcript: string
  readonly answer: Record<string, unknown>
}

/** Runs the prompt on a terminal, with its standard streams elsewhere, and types each text once its cue has appeared. */
async function converse(
  steps: readonly (readonly [cue: string, typed: string])[],
  {program: asked = program, ...question}: Record<string, unknown> & {readonly program?: string} = {},
): Promise<Dialogue> {
  const answer = join(directory, `answer-${Math.random().toString(36).slice(2)}.json`)
  const options = JSON.stringify({
    registry: 'host:5000',
    refused: false,
    lookedIn: [],
    configFiles: [],
    ...question,
  })
  const command = `${[process.execPath, asked, answer, options].map(quoted).join(' ')} </dev/null >/dev/null`
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 240_000,
  })
  const left = [...steps]
  let transcript = ''
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    transcript += text
    // Several cues may come as one piece of output.
    for (let next = left[0]; next !== undefined; next = left[0]) {
      const [cue, typed] = next
      const at = transcript.indexOf(cue, seen)
      if (at < 0) return
      seen = at + cue.length
      left.shift()
      child.stdin.write(typed)
    }
  })
  await new Promise((resolve) => child.once('close', resolve))
  if (left.length > 0) throw new Error(`no cue ${JSON.stringify(left[0])} in ${JSON.stringify(transcript)}`)
  return {transcript, answer: JSON.parse(await readFile(answer, 'utf8')) as Record<string, unknown>}
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

describe.skipIf(!terminals && process.env['CI'] === undefined)(
  'the prompt (skipped without the program `script`)',
  () => {
    test('a user name and a hidden password are typed', async () => {
      const {transcript, answer} = await converse(
        [
          ['log in?', ENTER],
          ['User name:', `bob${ENTER}`],
          ['Password:', `${PASSWORD}${ENTER}`],
        ],
        {lookedIn: ['/home/a/.docker/config.json'], registry: 'host:5000\u001B[2J'},
      )
      expect(answer).toEqual({kind: 'basic', username: 'bob', password: PASSWORD, canPrompt: true})
      expect(transcript).not.toContain(PASSWORD)
      expect(transcript).toContain('/home/a/.docker/config.json')
      expect(transcript).toContain(String.raw`host:5000\x1b[2J asks for a credential`)
    })

    test('what is typed ahead is not echoed', async () => {
      const {transcript, answer} = await converse([
        ['log in?', ENTER],
        ['User name:', `bob${ENTER}typed-ahead`],
        ['Password:', `${PASSWORD}${ENTER}`],
      ])
      expect(answer['username']).toBe('bob')
      expect(answer['password']).toMatch(new RegExp(`${PASSWORD}$`))
      expect(transcript).not.toContain('typed-ahead')
      expect(transcript).not.toContain(PASSWORD)
    })

    test('what is typed between two questions is not echoed', async () => {
      const {transcript} = await converse([['between questions', 'typed-between']], {program: between})
      expect(transcript).not.toContain('typed-between')
    })

    test('an empty user name or password is asked for again', async () => {
      const {answer} = await converse([
        ['log in?', ENTER],
        ['User name:', ENTER],
        ['Type a user name', `bob${ENTER}`],
        ['Password:', ENTER],
        ['Type a password', `${PASSWORD}${ENTER}`],
      ])
      expect(answer).toMatchObject({username: 'bob', password: PASSWORD})
    })

    test('one of the usual Docker config files is chosen; those that are missing are not offered', async () => {
      const file = join(directory, 'config.json')
      const {transcript, answer} = await converse(
        [
          ['log in?', `${DOWN}${ENTER}`],
          ['Which file?', ENTER],
        ],
        {configFiles: [join(directory, 'missing.json'), file]},
      )
      expect(answer).toMatchObject({kind: 'docker-config', path: file})
      expect(transcript).not.toContain('missing.json')
    })

    test('another Docker config file is named; one that cannot be read is asked for again, in an empty field', async () => {
      const {answer} = await converse(
        [
          ['log in?', `${DOWN}${ENTER}`],
          ['Which file?', `${DOWN}${ENTER}`],
          ['Path of the file', `${directory}/x${ENTER}`],
          [`${directory}/x cannot be read: there is no such file`, ''],
          ['Path of the file', `${directory}${ENTER}`],
          ['it is a directory', ''],
          ['Path of the file', `${directory}/config.json${ENTER}`],
        ],
        {configFiles: [join(directory, 'config.json')]},
      )
      expect(answer).toMatchObject({kind: 'docker-config', path: join(directory, 'config.json')})
    })

    test('with no file in the usual places, its path is asked for at once', async () => {
      const {answer} = await converse([
        ['log in?', `${DOWN}${ENTER}`],
        ['Path of the file', `${directory}/config.json${ENTER}`],
      ])
      expect(answer).toMatchObject({kind: 'docker-config'})
    })

    test('the way back from the path leads to the files, and from there to the first question', async () => {
      const {answer} = await converse(
        [
          ['log in?', `${DOWN}${ENTER}`],
          ['Which file?', `${DOWN}${ENTER}`],
          ['Path of the file', ENTER],
          ['Which file?', `${DOWN}${DOWN}${ENTER}`],
          ['log in?', ENTER],
          ['User name:', `bob${ENTER}`],
          ['Password:', `${PASSWORD}${ENTER}`],
        ],
        {configFiles: [join(directory, 'config.json')]},
      )
      expect(answer).toMatchObject({kind: 'basic', username: 'bob'})
    })

    test('of a user who is known only the password is asked for', async () => {
      const {transcript, answer} = await converse([['Password for bob:', `${PASSWORD}${ENTER}`]], {
        username: 'bob',
        lookedIn: ['nowhere'],
      })
      expect(answer).toMatchObject({kind: 'basic', username: 'bob', password: PASSWORD})
      expect(transcript).not.toMatch(/nowhere|log in\?/)
    })

    test.each([
      ['the choice', [['log in?', CTRL_C]]],
      [
        'the password',
        [
          ['log in?', ENTER],
          ['User name:', `bob${ENTER}`],
          ['Password:', `half${CTRL_C}`],
        ],
      ],
    ] as const)('Ctrl-C leaves at %s', async (_, steps) => {
      const {transcript, answer} = await converse(steps)
      expect(answer).toMatchObject({code: 'CANCELLED'})
      expect(transcript).not.toContain('half')
      expect(transcript.lastIndexOf('\u001B[?25h')).toBeGreaterThan(transcript.lastIndexOf('\u001B[?25l'))
    })

    test('a signal ends it', async () => {
      const {answer} = await converse([], {abortAfter: 500})
      expect(answer).toMatchObject({code: 'CANCELLED'})
    })

    test('a refused credential is said to be refused', async () => {
      const {transcript} = await converse([['log in?', CTRL_C]], {refused: true, lookedIn: ['nowhere']})
      expect(transcript).toContain('host:5000 refused the credential')
    })
  },
)

test('without a terminal, it says what to give instead', async () => {
  const answer = join(directory, 'none.json')
  const question = JSON.stringify({registry: 'host:5000', refused: false, lookedIn: [], configFiles: []})
  // its own session, and so no controlling terminal
  const child = spawn(process.execPath, [program, answer, question], {
    detached: true,
    stdio: 'ignore',
  })
  await new Promise((resolve) => child.once('close', resolve))
  expect(JSON.parse(await readFile(answer, 'utf8'))).toMatchObject({
    code: 'AUTH_REQUIRED',
    message: 'host:5000 asks for a credential and no terminal is there',
    canPrompt: false,
  })
})
