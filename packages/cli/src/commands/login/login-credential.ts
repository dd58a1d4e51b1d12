import type {CredentialProvider} from '@airgap-mirror/oci-client'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import type {RegistrySettings} from '../../job/job.js'
import {canPrompt, promptCredential} from '../../run/prompt/credential-prompt.js'

/** The number of times that a person may mistype before the registry's refusal stands. */
const TRIES = 3

export interface Pair {
  readonly username: string
  readonly password: string
}

export interface LoginCredential {
  /** Gives the registry the login, and asks the person for another one if it is refused. */
  readonly provider: CredentialProvider
  /** The login that was given last. */
  readonly current: () => Pair
  /** True if the registry wanted it. */
  readonly isAsked: () => boolean
}

/**
 * The login that is to be kept: the settings, and what they lack from the person at the terminal.
 * @throws {MirrorError} USAGE if something is lacking and no terminal is there, CANCELLED
 */
export async function loginCredential(
  {username, password}: RegistrySettings,
  {registry, signal}: {readonly registry: string; readonly signal: AbortSignal},
): Promise<LoginCredential> {
  const ask = async ({refused}: {readonly refused: boolean}): Promise<Pair> => {
    const question = {registry, refused, lookedIn: [], configFiles: [], isTyped: true, signal}
    const answer = await promptCredential({...question, username})
    if (answer.kind !== 'basic') throw new Error('no file was offered')
    return answer
  }
  const isGiven = username !== undefined && password !== undefined
  if (!isGiven && !canPrompt()) {
    const lacking = username === undefined ? 'a user name and a password' : 'a password'
    throw new MirrorError('USAGE', `login lacks ${lacking}, and there is no terminal to ask for it at`, {
      hint: 'Give them with --username NAME --password-stdin.',
    })
  }
  let current = checked(isGiven ? {username, password} : await ask({refused: false}))
  let tries = 1
  let isAsked = false
  return {
    current: () => current,
    isAsked: () => isAsked,
    provider: async ({refused}) => {
      // The first refusal is of the request that was sent without a login.
      if (refused && isAsked && !isGiven && tries < TRIES) {
        tries += 1
        current = checked(await ask({refused: true}))
      }
      isAsked = true
      return {kind: 'basic', ...current, origin: isGiven ? '--username' : 'the prompt'}
    },
  }
}

/** A colon ends the user name where HTTP and Docker configs put both into one text. */
function checked({username, password}: Pair): Pair {
  if (!username.includes(':')) return {username, password}
  throw new MirrorError('USAGE', 'the user name has a colon in it, which HTTP does not allow', {
    hint: 'Give the password apart from the user name.',
  })
}
