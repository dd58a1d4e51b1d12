import {isMirrorError, type MirrorError} from '../model/index.js'
import {sameCredential, type Credential, type CredentialProvider} from './credential.js'
import {singleFlight} from './single-flight.js'

/** What a provider answered, with what the registry made of it so far. */
export interface Held {
  /** Undefined: anonymous. */
  readonly credential: Credential | undefined
  /** Tells this answer from the ones before and after it. */
  readonly id: number
  standing: Standing
}

/**
 * admitted: a token server gave a token for it; proven: the registry took a request made with it; refused: the first that
 * tried it was told that it is wrong, so nobody tries it again, which could lock an account out.
 */
export type Standing = 'untried' | 'admitted' | 'proven' | 'refused'

export interface HeldCredentials {
  /**
   * What to use for a repository. However many ask at once, the provider is asked once.
   * @throws {MirrorError} what the provider threw, CANCELLED
   */
  current(repository: string | undefined, options: AskOptions): Promise<Held>
  /**
   * What to use instead of one that was refused; undefined where the provider has nothing else or was asked often enough.
   * However many come with the same one, the provider is asked once.
   * @throws {MirrorError} what the provider threw, CANCELLED
   */
  replacement(
    refused: Held,
    options: AskOptions & {readonly repository: string | undefined},
  ): Promise<Held | undefined>
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined
}

interface Slot {
  readonly held: Held
  /** How often in a row the provider was told that its answer was refused. */
  readonly refusals: number
}

/** As at a login: three tries, so two refusals are followed by another question. */
const REFUSALS = 2
const WHOLE_REGISTRY = ''

/** Remembers what a provider answers for one registry, for as long as the registry takes it. */
export const heldCredentials = (
  registry: string,
  provider: CredentialProvider | undefined,
): HeldCredentials => {
  const slots = new Map<string, Slot>()
  const asking = singleFlight<void>()
  let answers = 0
  let failed: MirrorError | undefined

  const slotOf = (repository: string | undefined): Slot | undefined =>
    slots.get(WHOLE_REGISTRY) ?? slots.get(keyOf(repository))

  const ask = async (
    repository: string | undefined,
    options: {readonly refused: boolean; readonly signal: AbortSignal},
  ): Promise<Credential | undefined> => {
    try {
      return await provider?.({registry, ...options, ...(repository === undefined ? {} : {repository})})
    } catch (error) {
      if (isMirrorError(error) && error.code !== 'CANCELLED') failed = error
      throw error
    }
  }

  const keep = (
    repository: string | undefined,
    credential: Credential | undefined,
    refusals: number,
  ): void => {
    const whole = credential !== undefined && credential.repositoryOnly !== true
    if (whole) slots.clear()
    answers += 1
    const held: Held = {credential, id: answers, standing: 'untried'}
    slots.set(whole ? WHOLE_REGISTRY : keyOf(repository), {held, refusals})
  }

  const current = async (repository: string | undefined, {signal}: AskOptions): Promise<Held> => {
    for (;;) {
      if (failed !== undefined) throw failed
      const slot = slotOf(repository)
      if (slot !== undefined) return slot.held
      const first = async (signal: AbortSignal): Promise<void> => {
        keep(repository, await ask(repository, {refused: false, signal}), 0)
      }
      await asking.run('', first, {signal})
    }
  }

  const replacement: HeldCredentials['replacement'] = async (refused, {repository, signal}) => {
    for (;;) {
      if (failed !== undefined) throw failed
      const slot = slotOf(repository)
      if (slot === undefined || slot.held !== refused) return await current(repository, {signal})
      if (slot.refusals >= REFUSALS) return undefined
      const refusals = refused.standing === 'proven' ? 0 : slot.refusals
      const again = async (signal: AbortSignal): Promise<void> => {
        const credential = await ask(repository, {refused: true, signal})
        if (credential === undefined || sameCredential(credential, refused.credential)) {
          const key = slots.get(WHOLE_REGISTRY) === slot ? WHOLE_REGISTRY : keyOf(repository)
          slots.set(key, {held: refused, refusals: REFUSALS})
        } else {
          keep(repository, credential, refusals + 1)
        }
      }
      await asking.run('', again, {signal})
    }
  }

  return {current, replacement}
}

const keyOf = (repository: string | undefined): string => `/${repository ?? ''}`
