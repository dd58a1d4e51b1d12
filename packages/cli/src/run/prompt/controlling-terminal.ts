import {closeSync, openSync} from 'node:fs'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import {isatty, ReadStream, WriteStream} from 'node:tty'

const TERMINAL = '/dev/tty'

/** Returns true if the process has a controlling terminal to ask at, even if its standard streams are none. */
export function canPrompt(): boolean {
  try {
    const descriptor = openSync(TERMINAL, 'r+')
    const terminal = isatty(descriptor)
    closeSync(descriptor)
    return terminal
  } catch {
    return false
  }
}

/**
 * Keystrokes without echo. The terminal stays raw from the first question to the last. The prompt switches raw mode off
 * after each question, and keys typed ahead would then be echoed, a password too.
 */
class SilentInput extends ReadStream {
  constructor(descriptor: number) {
    super(descriptor)
    super.setRawMode(true)
  }

  override setRawMode(_mode: boolean): this {
    return this
  }

  /** Gives the terminal back as it was, and ends. */
  release(): void {
    if (!this.destroyed) super.setRawMode(false)
    this.destroy()
  }
}

export interface Terminal {
  readonly input: NodeJS.ReadableStream
  /** A new stream for each question, because the prompt ends it. */
  output(): NodeJS.WritableStream
}

/** The last talk that was begun. A person answers one question at a time. */
let last: Promise<unknown> = Promise.resolve()

/**
 * Opens the controlling terminal for the time of `talk`, once earlier talks have ended.
 * @throws {MirrorError} CANCELLED if the terminal goes away meanwhile
 * @throws {Error} if there is none
 */
export async function withTerminal<Answer>(talk: (terminal: Terminal) => Promise<Answer>): Promise<Answer> {
  const own = last.then(() => talkAt(talk))
  last = own.catch(() => undefined)
  return own
}

async function talkAt<Answer>(talk: (terminal: Terminal) => Promise<Answer>): Promise<Answer> {
  const input = new SilentInput(openSync(TERMINAL, 'r+'))
  const outputs: WriteStream[] = []
  const gone = new Promise<never>((_, reject) => {
    const hungUp = (cause?: unknown): void => {
      reject(new MirrorError('CANCELLED', 'the terminal went away while a question was open', {cause}))
    }
    input.once('end', hungUp).once('error', hungUp)
  })
  const output = (): WriteStream => {
    const stream = new WriteStream(openSync(TERMINAL, 'r+'))
    outputs.push(stream)
    // a terminal that cannot be written cannot be read either, and the input reports that
    return stream.on('error', () => {})
  }
  try {
    return await Promise.race([talk({input, output}), gone])
  } finally {
    input.release()
    for (const stream of outputs) stream.destroy()
  }
}
