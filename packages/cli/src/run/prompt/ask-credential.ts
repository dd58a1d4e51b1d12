import {access, constants, stat} from 'node:fs/promises'
import {input, password, select} from '@inquirer/prompts'
import {cancelled, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {printable} from '../../text/printable.js'
import {absolutePath} from './absolute-path.js'
import {canPrompt, withTerminal, type Terminal} from './controlling-terminal.js'
import type {CredentialAnswer, CredentialQuestion} from './credential-question.js'

/** See `promptCredential`, which loads this page only when somebody is to be asked. */
export async function askCredential(question: CredentialQuestion): Promise<CredentialAnswer> {
  const {signal} = question
  if (signal?.aborted) throw cancelled(signal)
  if (!canPrompt()) {
    throw new MirrorError(
      'AUTH_REQUIRED',
      `${question.registry} asks for a credential and no terminal is there`,
      {
        side: 'target',
        advice: {kind: 'log-in'},
      },
    )
  }
  const files = await existing(question.configFiles)
  try {
    return await withTerminal((terminal) => ask(terminal, {question, files}))
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal)
    if (error instanceof Error && error.name === 'ExitPromptError') {
      throw new MirrorError('CANCELLED', 'cancelled at the prompt for a credential')
    }
    throw error
  }
}

interface Talk {
  readonly question: CredentialQuestion
  readonly files: readonly string[]
}

async function ask(terminal: Terminal, {question, files}: Talk): Promise<CredentialAnswer> {
  const context = (): Context => ({
    input: terminal.input,
    output: terminal.output(),
    signal: question.signal,
  })
  const say = (line: string): void => void terminal.output().write(`${printable(line)}\n`)
  for (const line of introduction(question)) say(line)
  if (question.username !== undefined || question.isTyped === true) return typed(question, context)
  for (;;) {
    const way = await select(
      {
        message: 'How do you want to log in?',
        choices: [
          {name: 'Type a user name and password', value: 'type'},
          {name: 'Choose a Docker config file', value: 'file'},
        ],
      },
      context(),
    )
    if (way === 'type') return typed(question, context)
    const path = await chooseFile(files, {context, say})
    if (path !== undefined) return {kind: 'docker-config', path}
  }
}

interface Context {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  readonly signal?: AbortSignal
}

async function typed(
  {username: known}: CredentialQuestion,
  context: () => Context,
): Promise<CredentialAnswer> {
  const username = known ?? (await input({message: 'User name:', validate: required('user name')}, context()))
  const message = known === undefined ? 'Password:' : `Password for ${printable(known)}:`
  const secret = await password({message, validate: required('password')}, context())
  return {kind: 'basic', username, password: secret}
}

/** Undefined to go back. */
async function chooseFile(
  files: readonly string[],
  {context, say}: {readonly context: () => Context; readonly say: (line: string) => void},
): Promise<string | undefined> {
  for (;;) {
    if (files.length > 0) {
      const chosen = await select(
        {
          message: 'Which file?',
          choices: [
            ...files.map((file) => ({name: printable(file), value: file})),
            {name: 'Another file', value: OTHER},
            {name: 'Back', value: BACK},
          ],
        },
        context(),
      )
      if (chosen === BACK) return undefined
      if (chosen !== OTHER) return absolutePath(chosen)
    }
    const path = await typeFile({context, say})
    if (path !== undefined || files.length === 0) return path
  }
}

/** Undefined to go back. A path that cannot be read is told, and asked for again in an empty field. */
async function typeFile({
  context,
  say,
}: {
  readonly context: () => Context
  readonly say: (line: string) => void
}): Promise<string | undefined> {
  for (;;) {
    const path = await input({message: 'Path of the file (empty to go back):'}, context())
    if (path.trim() === '') return undefined
    const problem = await whyUnreadable(absolutePath(path))
    if (problem === undefined) return absolutePath(path)
    say(`${path} cannot be read: ${problem}.`)
  }
}

/** No path is empty, and none holds a zero. */
const OTHER = ''
const BACK = '\0'

function introduction({
  registry,
  refused,
  lookedIn,
  isTyped,
  username,
  problem,
}: CredentialQuestion): readonly string[] {
  if (problem !== undefined) return [`${problem}.`]
  if (refused) return [`${registry} refused the credential.`]
  if (isTyped === true) return [`Log in to ${registry}.`]
  const places = username === undefined ? lookedIn.map((place) => `  looked in ${place}`) : []
  return [`${registry} asks for a credential.`, ...places]
}

function required(what: string) {
  return (text: string): true | string => (text === '' ? `Type a ${what}, or press Ctrl-C to leave` : true)
}

async function whyUnreadable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.R_OK)
    return (await stat(path)).isDirectory() ? 'it is a directory' : undefined
  } catch (error) {
    return messageOf(error)
  }
}

async function existing(files: readonly string[]): Promise<readonly string[]> {
  const problems = await Promise.all(files.map((file) => whyUnreadable(file)))
  return files.filter((_, index) => problems[index] === undefined)
}
