import {isMirrorError, type MirrorError} from '../model/index.js'
import {sameCredential, type Credential, type CredentialProvider} from './credential.js'
import {singleFlight} from './single-flight.js'

/** A provider's answer, with its standing at the registry so far. */
export interface Held {
  /** Undefined: anonymous. */
  readonly credential: Credential | undefined
  /** Distinguishes this answer from earlier and later ones. */
  readonly id: number
  standing: Standing
  /** True if it was refused for a read. Accounts that may write and not read exist, so a write tries it once more. */
  refusedForRead?: boolean
}

/**
 * admitted: a token server gave a token for it.
 * proven: the registry accepted a request made with it.
 * refused: the first trial was told that it is wrong. It is not tried again, because that could lock an account out.
 */
type Standing = 'untried' | 'admitted' | 'proven' | 'refused'

export interface HeldCredentials {
  /**
   * Returns the credential for a repository. Parallel calls share one question to the provider.
   * @throws {MirrorError} the provider's errors, CANCELLED
   */
  current(repository: string | undefined, options: AskOptions): Promise<Held>
  /**
   * Returns a different credential after a refusal, or undefined if the provider has no other or was asked often
   * enough. Parallel calls with the same refused credential share one question to the provider.
   * @throws {MirrorError} the provider's errors, CANCELLED
   */
  replacement(
    refused: Held,
    options: AskOptions & {readonly repository: string | undefined},
  ): Promise<Held | undefined>
}

interface AskOptions {
  readonly signal?: AbortSignal
}

interface Slot {
  readonly held: Held
  /** Times in a row that the provider was told that its answer was refused. */
  readonly refusals: number
  /** The provider's error instead of another answer. It concerns this credential alone; others may still work. */
  readonly failure?: MirrorError
}

/** Lets a write try a credential again that was refused for a read, once. */
export function letWriteTry(held: Held, {method}: {readonly method: string}): void {
  if (held.refusedForRead !== true || method === 'GET' || method === 'HEAD') return
  held.refusedForRead = false
  held.standing = 'untried'
}

/** Three tries, as at a login: two refusals are each followed by another question. */
const REFUSALS = 2
const WHOLE_REGISTRY = ''

/** Remembers the answers of a provider for one registry until the registry refuses them. */
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
    provider?.({registry, ...options, repository}) ?? Promise.resolve(undefined)

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
        // The provider gave the same answer for another repository: it is refused there, too.
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
          slots.set(key, {held: refused, refusals: REFUSALS, failure})
        } else {
          // An answer without a credential cannot be refused, so it does not count.
          keep(repository, credential, refused.credential === undefined ? 0 : refusals + 1)
        }
      }
      await asking.run('', again, {signal})
    }
  }

  return {current, replacement}
}

/**
 * Returns errors of the provider as part of the answer, so that they can be repeated. Throws after a cancellation,
 * because the question may be asked again.
 */
async function orFailure(
  answer: Promise<Credential | undefined>,
): Promise<{readonly credential?: Credential; readonly failure?: MirrorError}> {
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
