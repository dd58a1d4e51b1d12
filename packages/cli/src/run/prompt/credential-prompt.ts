import type {CredentialAnswer, CredentialQuestion} from './credential-question.js'

/**
 * Asks the person at the terminal, `/dev/tty`, even if standard input and output are others.
 * @throws {MirrorError} CANCELLED on Ctrl-C and by the signal, AUTH_REQUIRED if there is no terminal
 */
export async function promptCredential(question: CredentialQuestion): Promise<CredentialAnswer> {
  const {askCredential} = await import('./ask-credential.js')
  return await askCredential(question)
}

export {canPrompt} from './controlling-terminal.js'
