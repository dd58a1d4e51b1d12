import type {Reference} from '@airgap-mirror/oci-client/model'
import type {NodeFiles} from './files/node-files.js'
import type {NodeLogin} from './node-login.js'

/**
 * `error`: the configuration breaks the pull, or every pull. `ambiguous`: the runtime chooses at random.
 * `blocked`: the registry is blocked after the tries. `refused-by-policy`: the manifest is fetched, then refused.
 */
export type Outcome = 'tries-all' | 'blocked' | 'refused-by-policy' | 'ambiguous' | 'error'

/** A manifest request that the node makes if every earlier one failed. */
export interface Try {
  /** Exact, with `?ns=` if the runtime sends it. */
  readonly url: string
  /** `file:line` and the rule in words. */
  readonly source: string
  /** Paths on the node, separated by `, `. */
  readonly ca?: string
  /** `none`, or the kind of credential that is sent if the registry asks for one. Never a secret. */
  readonly auth: string
  /** Which file names the credential, and where. */
  readonly authSource?: string
  /** Gives the secret: a function, so that no output of the try shows it. */
  readonly login?: () => NodeLogin
  readonly skipVerify: boolean
  /** A registry on the internet. */
  readonly public: boolean
  /** The attempt is expected to end in a TLS error. The node then goes on to the next. */
  readonly only?: 'tls-error'
  /** The other URL of a random choice. */
  readonly orUrl?: string
}

export interface Explanation {
  readonly reference: string
  /** `RUNTIME` or `RUNTIME@VERSION`, such as `containerd@2.1`. */
  readonly as: string
  /** Facts that the answer depends on and that the files do not show, in sentences. */
  readonly assumed: readonly string[]
  readonly outcome: Outcome
  /** The message of the runtime; absent with `tries-all`. */
  readonly message?: string
  readonly tries: readonly Try[]
  readonly endsAtPublic: boolean
  readonly warnings: readonly string[]
}

export interface Version {
  readonly major: number
  readonly minor: number
}

export interface Question {
  /** The name as it was typed, for runtimes that treat short names differently. */
  readonly typed: string
  /** The name as Docker normalises it: with a tag or a digest, never both. */
  readonly reference: Reference
  /** The version of the runtime, if it was given. */
  readonly version: Version | undefined
}

/** The answer of one runtime for these files; the caller adds the reference and the runtime's name. */
export interface Answer extends Omit<Explanation, 'reference' | 'as' | 'endsAtPublic'> {
  /** The version that was assumed, if the answer depends on it and none was given. */
  readonly assumedVersion?: string
}

export type Explain = (question: Question, files: NodeFiles) => Answer
