import type {MirrorError} from '@airgap-mirror/oci-client/model'
import type {ReportImage, ReportShard, RunFigures} from '../report/report.js'
import type {FlagValues} from '../settings/flag-values.js'
import type {AdvisedCommand} from '../text/advice/words.js'
import type {Run} from './run.js'

/** The two sides of a run, as the report calls them. */
export interface Sides {
  readonly source: string
  readonly target: string
  /** The part of the job that the run does; absent: all of it. */
  readonly shard?: ReportShard
}

/** The results of a command's work, from which the report is made. */
export interface Work {
  readonly images: readonly ReportImage[]
  readonly blobs?: RunFigures['blobs']
  readonly bytes?: RunFigures['bytes']
  /** Failures that belong to no single image. With any of them the run is no success. */
  readonly troubles?: readonly MirrorError[]
  /** Absent if the run did the whole job. */
  readonly shard?: ReportShard
}

export interface CommandOptions<Settings extends Sides> {
  /** With every flag by name, so that advice names none that it lacks. */
  readonly command: AdvisedCommand
  readonly flags: FlagValues
  /** As they were given: for the report of a run whose settings cannot be read. */
  readonly given: Sides
  /** Reads and checks all flags, and the files they name. Nothing below knows of flags. */
  readonly read: (flags: FlagValues) => Promise<Settings>
  /** Absent: the command remembers nothing. */
  readonly remembers?: {
    /** The version of the compressor of layers; 0 for a command that compresses none. */
    readonly layerFormat: number
    /** The way in which unusable state is told. */
    readonly told: 'note' | 'warning'
  }
  /** Paths of bundles that the run reads or writes: no output may replace them. */
  readonly bundles?: (settings: Settings) => readonly string[]
  readonly work: (settings: Settings, run: Run) => Promise<Work>
}
