import type {OnWarning} from '@airgap-mirror/oci-client/model'
import type {Stop} from '../engine/stop.js'
import type {Renderer} from '../render/renderer.js'
import type {RunFigures, UnusedPart} from '../report/report.js'
import type {OutputSettings} from '../settings/output-settings.js'
import type {State} from '../state/open-state.js'

/** Figures of the report that only an opened side knows. */
export interface SideFigures {
  readonly requests?: number
  readonly retries?: number
  readonly bytes?: RunFigures['bytes']
  readonly unused?: readonly UnusedPart[]
}

/** A run of a command, as its work sees it. */
export interface Run {
  readonly renderer: Renderer
  readonly output: OutputSettings
  /** Ask and plan, but change nothing. */
  readonly dryRun: boolean
  readonly stop: Stop
  readonly warn: OnWarning
  readonly note: (text: string) => void
  /** To be called once the first byte may be sent: from then on an error is no longer invalid input. */
  readonly onStart: () => void
  /** Absent if nothing is remembered. */
  readonly state: State | undefined
  /** The directory of `state`; absent if there is none. */
  readonly stateDirectory: string | undefined
  /**
   * Keeps a resource until the run ends. It is disposed of before those that were kept earlier.
   * @param figures read just before that, for the report
   * @returns the resource
   */
  keep<Resource extends AsyncDisposable>(resource: Resource, figures?: () => SideFigures): Resource
}
