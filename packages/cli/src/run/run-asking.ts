import {createRenderer} from '../render/create-renderer.js'
import {Kept} from './kept.js'
import type {Run} from './run.js'
import {listenForSignals} from './signals.js'

/**
 * Runs work that only asks registries: warnings go to standard error, no state is saved, and a single Ctrl-C ends it. Closes
 * at the end everything that the work opened.
 */
export async function runAsking<Result>(work: (run: Run) => Promise<Result>): Promise<Result> {
  const renderer = await createRenderer('none', {stream: process.stderr})
  using interruption = listenForSignals({onDrain: () => {}, onLeave: () => renderer.close()})
  await using kept = new Kept()
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
        notify: undefined,
        timeout: undefined,
      },
      dryRun: true,
      stop: interruption,
      warn: (text) => renderer.onEvent({type: 'warning', text}),
      note: (text) => renderer.onEvent({type: 'note', text}),
      onStart: () => {},
      state: undefined,
      stateDirectory: undefined,
      keep: (resource, figures) => kept.add(resource, figures),
    })
  } finally {
    renderer.close()
  }
}
