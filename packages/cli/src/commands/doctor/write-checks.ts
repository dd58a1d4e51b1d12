import type {Ability, Examiner, WriteTrial} from '@airgap-mirror/oci-client/internal'
import type {CallOptions} from '@airgap-mirror/oci-client/model'
import type {Finding} from './finding.js'

interface Trial {
  readonly check: string
  readonly run: (repository: string, options: CallOptions) => Promise<WriteTrial>
  readonly texts: Readonly<Record<Ability, string>>
}

function trialsOf(examiner: Examiner): readonly Trial[] {
  return [
    {
      check: 'mounts',
      run: (repository, options) => examiner.mounts(repository, options),
      texts: {
        yes: 'a repository takes a blob over from another, so it is sent once',
        no: 'a blob has to be sent to each repository: the registry mounts none',
        unknown: 'the answer about mounts cannot be understood',
      },
    },
    {
      check: 'sparse index',
      run: (repository, options) => examiner.sparseIndex(repository, options),
      texts: {
        yes: 'an index may lack platforms, so the digests of chosen platforms stay',
        no: 'an index has to have all its platforms: push writes a smaller one, which has another digest',
        unknown: 'the answer about an index that lacks platforms cannot be understood',
      },
    },
  ]
}

/** The reason why nothing is written, in one sentence; undefined: write. */
export type WhyNot = 'not asked' | 'no deletion' | undefined

const REASONS = {
  'not asked': 'not tried, because something has to be written for it: --try-writes does, and deletes it',
  'no deletion': 'not tried, because this registry would not delete what has to be written for it',
} as const

/** Tries what only a write can show. Everything written is deleted; a finding says what could not be. */
export async function checkWrites(
  examiner: Examiner,
  {
    repository,
    whyNot,
    failed,
    signal,
  }: CallOptions & {
    readonly repository: string
    readonly whyNot: WhyNot
    readonly failed: (check: string, error: unknown) => Finding
  },
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const {check, run, texts} of trialsOf(examiner)) {
    if (whyNot !== undefined) {
      findings.push({check, status: 'skipped', text: REASONS[whyNot]})
      continue
    }
    try {
      const {ability, left} = await run(repository, {signal})
      const rest = left.length === 0 ? '' : `; not deleted: ${left.join(', ')}`
      findings.push({check, status: ability === 'yes' ? 'ok' : 'note', text: `${texts[ability]}${rest}`})
    } catch (error) {
      findings.push(failed(check, error))
    }
  }
  return findings
}
