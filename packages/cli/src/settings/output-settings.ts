import {join, resolve} from 'node:path'
import {PROGRESS_MODES, type ProgressMode} from '../render/renderer.js'
import {defaults} from './defaults.js'
import {environment, stateHome} from './environment.js'
import {parseDuration} from '../text/parse-quantity.js'
import {parseShard} from '../job/shard.js'
import type {FlagReader} from './flag-values.js'

/** The output of a run: progress, reports and notifications. */
export interface OutputSettings {
  readonly progress: ProgressMode
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly report: string | undefined
  readonly failed: string | undefined
  readonly junit: string | undefined
  readonly metrics: string | undefined
  /** Chrome trace events of the run. */
  readonly trace: string | undefined
  /** The lock file of `save` and `sync`. */
  readonly lock: string | undefined
  /** Run by the shell when something failed. */
  readonly notify: string | undefined
  /** Milliseconds after which the run is ended. */
  readonly timeout: number | undefined
}

/** A dumb terminal cannot move its cursor, so it gets no bars unless they are asked for. */
function progressOf(mode: ProgressMode): ProgressMode {
  return mode === 'auto' && environment()['TERM'] === 'dumb' ? 'plain' : mode
}

export function readOutputFlags({text, choice, on, parsed}: FlagReader): OutputSettings {
  return {
    progress: progressOf(choice('progress', PROGRESS_MODES) ?? defaults.progress),
    json: on('json'),
    quiet: on('quiet'),
    verbose: on('verbose'),
    report: text('report'),
    failed: text('failed'),
    junit: text('junit'),
    metrics: text('metrics'),
    trace: text('trace'),
    lock: text('lock'),
    notify: text('notify-command'),
    timeout: parsed('timeout', parseDuration),
  }
}

/**
 * The directory for the state; undefined if there is none. A shard has a place of its own, so that shards can run side
 * by side.
 */
export function stateDirectory({text, on}: FlagReader): string | undefined {
  if (on('no-state')) return undefined
  const directory = resolve(text('state') || stateHome(environment()))
  const shard = parseShard(text('shard') ?? '0/1')
  if (shard === undefined) return directory
  const {index, count} = shard
  return join(directory, 'shards', `${index}-of-${count}`)
}
