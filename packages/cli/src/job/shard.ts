import {MirrorError} from '@airgap-mirror/oci-client/model'

/** The part of a run among `count` runs that do a job together. Shards count from 0, as the pods of an Indexed Job of Kubernetes do. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** More would be a slip: a shard needs work for minutes to be worth its start. */
const MOST_SHARDS = 1000

/**
 * Reads `I/N`. Undefined for `0/1`, which is the whole job.
 * @throws {MirrorError} USAGE
 */
export function parseShard(text: string): Shard | undefined {
  const [, index, count] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number)
  if (index === undefined || count === undefined || count < 1 || count > MOST_SHARDS) {
    throw new MirrorError(
      'USAGE',
      `--shard ${JSON.stringify(text)} is not I/N, such as 0/8, with N from 1 to ${MOST_SHARDS}`,
    )
  }
  if (index >= count) {
    throw new MirrorError('USAGE', `--shard ${text}: there is no shard ${index} of ${count}`, {
      hint: `Count shards from 0: the first is 0/${count} and the last ${count - 1}/${count}.`,
    })
  }
  return count === 1 ? undefined : {index, count}
}
