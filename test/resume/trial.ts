import {setTimeout} from 'node:timers/promises'
import {startMirror, withTempDir} from '@airgap-mirror/test/kit'
import {
  startRegistry,
  type RegistryOptions,
  type RequestKind,
  type RequestRecord,
  type TestRegistry,
} from '@airgap-mirror/test/registry'

/** When a push is killed: so many milliseconds after the `nth` request (of a kind, or of any) has arrived. */
export interface Moment {
  readonly nth: number
  readonly kind?: RequestKind
  readonly delay: number
}

export interface TrialOptions {
  readonly source: string
  readonly uploads: NonNullable<RegistryOptions['uploads']>
  readonly moments: readonly Moment[]
  readonly flags?: readonly string[]
}

/** The result of one run of the program. */
export interface Run {
  readonly code: number | undefined
  readonly killed: boolean
  readonly stderr: string
  readonly requests: readonly RequestRecord[]
}

export interface Trial {
  /** One for each moment, and one that is left alone. */
  readonly runs: readonly Run[]
  /** Blobs that were committed into one repository more than once. */
  readonly sentAgain: readonly string[]
  /** Bytes of request bodies in all runs. */
  readonly bytes: number
  /** Tags without their content, and content that came after its tag. */
  readonly faults: readonly string[]
  readonly registry: Pick<TestRegistry, 'manifest' | 'bytesReceivedOf'>
}

/** Slow enough that a kill may meet anything. */
const PACE = {
  latency: 2,
  faults: [{match: {kind: 'send'}, times: Infinity, fault: {type: 'trickle', bytes: 128 * 1024, ms: 1}}],
} as const satisfies RegistryOptions

/** Pushes into a registry of its own, killed at one moment after the other and started again, the last time to the end. */
export function tryToPush({source, uploads, moments, flags = []}: TrialOptions): Promise<Trial> {
  return withTempDir(async (home) => {
    let onRequest = (_record: RequestRecord): void => {}
    await using registry = await startRegistry({
      ...PACE,
      uploads,
      strict: true,
      onRequest: (record) => onRequest(record),
    })
    const runs: Run[] = []
    for (const moment of [...moments, undefined]) {
      const before = registry.requests.length
      const child = await startMirror(
        ['push', '--source', source, '--private-registry', registry.host, '--plain-http', ...flags],
        {home},
      )
      let seen = 0
      onRequest = ({kind}) => {
        if (moment === undefined || (moment.kind !== undefined && kind !== moment.kind)) return
        seen += 1
        if (seen === moment.nth) void setTimeout(moment.delay).then(() => child.kill('SIGKILL'))
      }
      const {code, signal, stderr} = await child.result
      await untilIdle(registry)
      runs.push({code, killed: signal === 'SIGKILL', stderr, requests: registry.requests.slice(before)})
    }
    const faults = [...registry.fsck(), ...registry.violations]
    return {runs, sentAgain: repeated(registry), bytes: registry.bytesReceived, faults, registry}
  })
}

/** Waits until the registry has handled everything that a killed client sent, so that the next run finds a fixed state. */
async function untilIdle(registry: TestRegistry): Promise<void> {
  const isAtWork = (): boolean =>
    registry.connections.open > 0 || registry.requests.some(({finishedAt}) => finishedAt === undefined)
  while (isAtWork()) await setTimeout(2)
}

function repeated({commits}: TestRegistry): readonly string[] {
  const seen = new Set<string>()
  return commits
    .map(({repository, digest}) => `${repository}@${digest}`)
    .filter((blob) => {
      const isRepeated = seen.has(blob)
      seen.add(blob)
      return isRepeated
    })
}
