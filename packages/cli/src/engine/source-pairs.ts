import {MirrorError, type CallOptions, type ImageSource, type Platform} from '@airgap-mirror/oci-client/model'
import {gather} from './gather.js'
import {byRules} from './name-of.js'
import type {Pair} from './pair.js'
import {namePairs} from './name-pairs.js'
import {selectImages, type Choice} from './select.js'
import type {NamingRules} from '../names/naming.js'

export interface SourcePairsOptions extends CallOptions {
  readonly rules: NamingRules
  readonly choice: Choice
  /** Empty: all. */
  readonly platforms: readonly Platform[]
}

/**
 * The chosen images of a source, each with its name at the target.
 * @throws {MirrorError} SOURCE_EMPTY, those of `selectImages` and `namePairs`
 */
export async function sourcePairs(
  source: ImageSource,
  {rules, choice, platforms, signal}: SourcePairsOptions,
): Promise<readonly Pair[]> {
  const gathered = await gather(source, {signal})
  if (gathered.length === 0) {
    throw new MirrorError('SOURCE_EMPTY', 'the source holds no image', {side: 'source'})
  }
  return namePairs(selectImages(gathered, choice), {source, nameOf: byRules(rules), platforms, signal})
}
