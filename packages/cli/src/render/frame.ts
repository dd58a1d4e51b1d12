import cliProgress from 'cli-progress'
import {formatBytes} from '../text/format-quantity.js'
import {shortened} from '../text/printable.js'
import type {BlobRows} from './blob-rows.js'
import {progressOf, type ActiveBlob, type ProgressState} from './fold.js'
import {percentOf, progressDetails, retryLine, type Detail} from './progress-line.js'

export interface FrameOptions {
  readonly now: number
  /** The width of the terminal. */
  readonly columns: number
  readonly rows: BlobRows
}

const OVERALL_BAR = 24
const BLOB_BAR = 12
/** In the order in which they give way if there is no room. */
const LESS: readonly Detail[] = ['rate', 'images', 'left']
/** Below it the numbers need all the room. */
const NARROW = 72

/** The lines a terminal shows at a moment: the run, a row for each blob in flight, and a wait before a retry. */
export function frameOf(state: ProgressState, {now, columns, rows}: FrameOptions): readonly string[] {
  const retry = state.retry !== undefined && state.retry.until > now ? state.retry : undefined
  return [
    overallLine(state, {now, columns}),
    ...rows.map((key) => blobLine(key === undefined ? undefined : state.active.get(key), columns)),
    ...(retry === undefined ? [] : [retryLine({...retry, wait: retry.until - now})]),
  ].map((line) => shortened(line, columns))
}

function overallLine(
  state: ProgressState,
  {now, columns}: {readonly now: number; readonly columns: number},
): string {
  const {fraction} = progressOf(state, {now})
  const percent = percentOf(state, {now})
  const lineWithout = (without: readonly Detail[], bar: readonly string[]): string =>
    [
      ...bar,
      ...(percent === undefined ? [] : [percent]),
      progressDetails(state, {now, without}) ?? 'starting',
    ].join('  ')
  const bar = fraction === undefined || columns < NARROW ? [] : [barOf(fraction, OVERALL_BAR)]
  const lines = [
    lineWithout([], bar),
    ...LESS.map((_, index) => lineWithout(LESS.slice(0, index), [])),
    lineWithout(LESS, []),
  ]
  return lines.find((line) => line.length <= columns) ?? lines.at(-1) ?? ''
}

function blobLine(blob: ActiveBlob | undefined, columns: number): string {
  if (blob === undefined) return ''
  const fraction = blob.size === 0 ? 1 : Math.min(1, blob.sent / blob.size)
  const figures = `${formatBytes(blob.sent)} of ${formatBytes(blob.size)}`.padStart(20)
  const bar = columns < NARROW ? '' : `  ${barOf(fraction, BLOB_BAR)}`
  const room = Math.max(8, columns - figures.length - bar.length - 4)
  return `  ${shortened(blob.name, room).padEnd(room)}${bar}  ${figures}`
}

function barOf(fraction: number, width: number): string {
  return `[${cliProgress.Format.BarFormat(fraction, {
    barsize: width,
    barGlue: '',
    barCompleteString: '='.repeat(width),
    barIncompleteString: '-'.repeat(width),
  })}]`
}
