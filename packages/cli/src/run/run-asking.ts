import {openState} from '../state/open-state.js'
import {createRenderer} from '../render/create-renderer.js'
import {EndedBySignal} from './ended-by-signal.js'
import {Kept} from './kept.js'
import type {Run} from './run.js'
import {listenForSignals} from './signals.js'

/** No layer is packed, so none is remembered. */
const NO_LAYERS = 0

export interface AskingOptions {
  /** Milliseconds until the work is ended; undefined: no limit. */
  readonly timeout?: number
  /** The directory that remembers indexes of bundles; absent: nothing is remembered. */
  readonly stateDirectory?: string
}

/**
 * Runs work that changes nothing: warnings go to standard error, and a single Ctrl-C ends it. Closes at the end everything
 * that the work opened.
 * @throws {MirrorError} TIMEOUT, and the errors of the work
 * @throws {EndedBySignal} with the error of work that a signal ended
 */
export async function runAsking<Result>(
  work: (run: Run) => Promise<Result>,
  {timeout, stateDirectory: directory}: AskingOptions = {},
): Promise<Result> {
  const renderer = await createRenderer('none', {stream: process.stderr})
  using interruption = listenForSignals({onDrain: () => {}, onLeave: () => renderer.close(), timeout})
  await using kept = new Kept()
  const state = await openState({directory, layerFormat: NO_LAYERS, onNote: () => {}})
  try {
    return await work({
      renderer,
      output: {
        progress: 'none',
        json: false,
        quiet: false,
        verbose: false,
        report: undefined,
        failed: undefined,
        junit: undefined,
        metrics: undefined,
        trace: undefined,
        lock: undefined,
        notify: undefined,
        timeout,
      },
      dryRun: true,
      stop: interruption,
      warn: (text) => renderer.onEvent({type: 'warning', text}),
      note: (text) => renderer.onEvent({type: 'note', text}),
      onStart: () => {},
      state,
      stateDirectory: state === undefined ? undefined : directory,
      keep: (resource, figures) => kept.add(resource, figures),
    })
  } catch (error) {
    const signal = interruption.received()
    throw signal === undefined ? error : new EndedBySignal(signal, error)
  } finally {
    renderer.close()
  }
}
