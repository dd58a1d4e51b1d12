import {MirrorError, type CallOptions, type ImageSource, type Platform} from '@airgap-mirror/oci-client/model'
import {gather, rootDigest, type Gathered} from './gather.js'
import {byRules} from './name-of.js'
import type {Pair} from './pair.js'
import {namePairs} from './name-pairs.js'
import {leftOutWarning} from './not-for-platforms.js'
import {selectImages, type Choice} from './select.js'
import type {Nameable, NamingRules} from '../names/naming.js'
import {unusedIn, type Unused} from '../names/unused.js'

export interface SourcePairsOptions extends CallOptions {
  readonly rules: NamingRules
  readonly choice: Choice
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  /** Told of choices and rules that no image of the source has met. */
  readonly onUnused?: (unused: Unused) => void
  readonly onWarning?: (text: string) => void
}

/**
 * The chosen images of a source, each with its name at the target.
 * @throws {MirrorError} SOURCE_EMPTY, and the errors of `selectImages` and `namePairs`
 */
export async function sourcePairs(
  source: ImageSource,
  {rules, choice, platforms, onUnused, onWarning, signal}: SourcePairsOptions,
): Promise<readonly Pair[]> {
  const gathered = await gather(source, {signal})
  if (gathered.length === 0) {
    throw new MirrorError('SOURCE_EMPTY', 'the source holds no image', {side: 'source'})
  }
  onUnused?.(unusedIn(gathered.map(nameableOf), {rules, include: choice.include}))
  return namePairs(selectImages(gathered, choice), {
    source,
    nameOf: byRules(rules),
    platforms,
    onWarning,
    onLeftOut: (images) => onWarning?.(leftOutWarning(images, platforms)),
    signal,
  })
}

function nameableOf(gathered: Gathered): Nameable {
  const {name, shownAs, id} = gathered.image
  const digest = rootDigest(gathered)
  return {
    name,
    shownAs,
    digest,
    id,
  }
}
