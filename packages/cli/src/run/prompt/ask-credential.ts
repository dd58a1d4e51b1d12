import {access, constants} from 'node:fs/promises'
import {input, password, select} from '@inquirer/prompts'
import {cancelled, MirrorError} from '@airgap-mirror/oci-client/model'
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
  const context = () => ({
    input: terminal.input,
    output: terminal.output(),
    ...(question.signal === undefined ? {} : {signal: question.signal}),
  })
  terminal.output().write(introduction(question))
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
  if (way === 'type') {
    const username = await input({message: 'User name:', validate: required('user name')}, context())
    const secret = await password({message: 'Password:', validate: required('password')}, context())
    return {kind: 'basic', username, password: secret}
  }
  const chosen =
    files.length === 0
      ? OTHER
      : await select(
          {
            message: 'Which file?',
            choices: [
              ...files.map((file) => ({name: printable(file), value: file})),
              {name: 'Another file', value: OTHER},
            ],
          },
          context(),
        )
  const path =
    chosen === OTHER ? await input({message: 'Path of the file:', validate: readable}, context()) : chosen
  return {kind: 'docker-config', path: absolutePath(path)}
}

/** No path is empty. */
const OTHER = ''

function introduction({registry, refused, lookedIn}: CredentialQuestion): string {
  const lines = refused
    ? [`${registry} refused the credential.`]
    : [`${registry} asks for a credential.`, ...lookedIn.map((place) => `  looked in ${place}`)]
  return lines.map((line) => `${printable(line)}\n`).join('')
}

function required(what: string) {
  return (text: string): true | string => (text === '' ? `Type a ${what}, or press Ctrl-C to leave` : true)
}

async function readable(path: string): Promise<true | string> {
  const problem =
    path === '' ? 'Type a path, or press Ctrl-C to leave' : await whyUnreadable(absolutePath(path))
  return problem ?? true
}

async function whyUnreadable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.R_OK)
    return undefined
  } catch (error) {
    return printable((error as Error).message)
  }
}

async function existing(files: readonly string[]): Promise<readonly string[]> {
  const problems = await Promise.all(files.map((file) => whyUnreadable(file)))
  return files.filter((_, index) => problems[index] === undefined)
}
