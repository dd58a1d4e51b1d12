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
type Standing = 'untried' | 'admitted' | 'proven' | 'refused'

export interface HeldCredentials {
  /**
   * What to use for a repository. However many ask at once, the provider is asked once.
   * @throws {MirrorError} what the provider threw, CANCELLED
   */
  current(repository: string | undefined, options: AskOptions): Promise<Held>
  /**
   * What to use instead of one that was refused, always another credential; undefined if the provider has nothing else or was
   * asked often enough.
   * However many come with the same one, the provider is asked once.
   * @throws {MirrorError} what the provider threw, CANCELLED
   */
  replacement(
    refused: Held,
    options: AskOptions & {readonly repository: string | undefined},
  ): Promise<Held | undefined>
}

interface AskOptions {
  readonly signal?: AbortSignal | undefined
}

interface Slot {
  readonly held: Held
  /** How often in a row the provider was told that its answer was refused. */
  readonly refusals: number
  /** What the provider threw instead of another answer: it is for this one alone, others may do without. */
  readonly failure?: MirrorError
}

/** As at a login: three tries, so two refusals are followed by another question. */
const REFUSALS = 2
const WHOLE_REGISTRY = ''

/** Remembers what a provider answers for one registry, for as long as the registry takes it. */
export function heldCredentials(registry: string, provider: CredentialProvider | undefined): HeldCredentials {
  const slots = new Map<string, Slot>()
  const asking = singleFlight<void>()
  let answers = 0
  let failed: MirrorError | undefined

  const slotOf = (repository: string | undefined): Slot | undefined =>
    slots.get(WHOLE_REGISTRY) ?? slots.get(keyOf(repository))

  const ask = (
    repository: string | undefined,
    options: {readonly refused: boolean; readonly signal: AbortSignal},
  ): Promise<Credential | undefined> =>
    provider?.({registry, ...options, ...(repository === undefined ? {} : {repository})}) ??
    Promise.resolve(undefined)

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
        const answer = await orFailure(ask(repository, {refused: false, signal}))
        if (answer.failure === undefined) keep(repository, answer.credential, 0)
        else failed = answer.failure
      }
      await asking.run('', first, {signal})
    }
  }

  const replacement: HeldCredentials['replacement'] = async (given, {repository, signal}) => {
    let refused = given
    for (;;) {
      if (failed !== undefined) throw failed
      const slot = slotOf(repository)
      if (slot === undefined || slot.held !== refused) {
        const other = await current(repository, {signal})
        if (!sameCredential(other.credential, given.credential)) return other
        // The same answer again, given for another repository: it is refused, too.
        refused = other
        continue
      }
      if (slot.failure !== undefined) throw slot.failure
      if (slot.refusals >= REFUSALS) return undefined
      const refusals = refused.standing === 'proven' ? 0 : slot.refusals
      const again = async (signal: AbortSignal): Promise<void> => {
        const {credential, failure} = await orFailure(ask(repository, {refused: true, signal}))
        if (credential === undefined || sameCredential(credential, refused.credential)) {
          const key = slots.get(WHOLE_REGISTRY) === slot ? WHOLE_REGISTRY : keyOf(repository)
          slots.set(key, {held: refused, refusals: REFUSALS, ...(failure === undefined ? {} : {failure})})
        } else {
          // That nothing was found is no answer that could be refused.
          keep(repository, credential, refused.credential === undefined ? 0 : refusals + 1)
        }
      }
      await asking.run('', again, {signal})
    }
  }

  return {current, replacement}
}

/** The user's own errors are part of the answer, to be repeated; a cancelled question may be asked again. */
async function orFailure(
  answer: Promise<Credential | undefined>,
): Promise<{readonly credential?: Credential | undefined; readonly failure?: MirrorError}> {
  try {
    return {credential: await answer}
  } catch (error) {
    if (isMirrorError(error) && error.code !== 'CANCELLED') return {failure: error}
    throw error
  }
}

function keyOf(repository: string | undefined): string {
  return `/${repository ?? ''}`
}
