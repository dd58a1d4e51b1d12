import {closeSync, openSync} from 'node:fs'
import {isatty} from 'node:tty'
import {codeOf, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'

/**
 * From now on a standard error that cannot be written (a full disk, a reader that is gone, a closed terminal) loses text and
 * nothing else: a run is not ended by its own messages.
 */
export function outliveStandardError(): void {
  const {stderr} = process
  process.off('exit', letGoOfClosed).once('exit', letGoOfClosed)
  stderr.on('error', () => {})
  const write = stderr.write.bind(stderr) as (...args: readonly unknown[]) => boolean
  // A file is written at once, so that a full disk throws here.
  stderr.write = (...args: readonly unknown[]): boolean => {
    try {
      return write(...args)
    } catch {
      return true
    }
  }
}

/** @throws {MirrorError} WRITE_FAILED */
export function writeStandardOutput(text: string): Promise<void> {
  const {stdout} = process
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(
        new MirrorError('WRITE_FAILED', `cannot write to standard output: ${messageOf(cause)}`, {
          cause,
          // A reader that has ended, such as head, is no matter of the place.
          advice: codeOf(cause) === 'EPIPE' ? undefined : {kind: 'use-writable-place'},
        }),
      )
    // Those of the framework throw. This one stays: the stream may tell of the same failure once more.
    stdout.removeAllListeners('error').on('error', fail)
    try {
      stdout.write(text, (error) => (error === null || error === undefined ? resolve() : fail(error)))
    } catch (error) {
      fail(error)
    }
  })
}

/**
 * Puts /dev/null in place of terminals. Node sets terminals back to their mode when it exits, and aborts if one of them is
 * gone and refuses.
 * @param options.gone only of those that are known to be gone
 */
export function letGoOfTerminals({gone = false}: {readonly gone?: boolean} = {}): void {
  for (const descriptor of [0, 1, 2]) {
    const isTerminal = isatty(descriptor)
    if (!wasTerminal[descriptor] || (gone && isTerminal)) continue
    try {
      closeSync(descriptor)
      openSync('/dev/null', 'r+')
    } catch {
      // Nothing is left to be told, nor anywhere to tell it.
    }
  }
}

function letGoOfClosed(): void {
  letGoOfTerminals({gone: true})
}

const wasTerminal = [0, 1, 2].map((descriptor) => isatty(descriptor))
