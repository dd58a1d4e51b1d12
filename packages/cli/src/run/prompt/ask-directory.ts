import {stat} from 'node:fs/promises'
import {join} from 'node:path'
import {input} from '@inquirer/prompts'
import {cancelled, MirrorError} from '@airgap-mirror/oci-client/model'
import {printable} from '../../text/printable.js'
import {absolutePath} from './absolute-path.js'
import {withTerminal} from './controlling-terminal.js'

/**
 * Asks the person at the terminal for the directory of a volume, until a file of that name is in it.
 * @throws {MirrorError} CANCELLED on Ctrl-C and by the signal
 */
export async function askDirectory(name: string, {signal}: {readonly signal?: AbortSignal}): Promise<string> {
  if (signal?.aborted) throw cancelled(signal)
  const message = `The volume ${printable(name)} is not here. Its directory, or Ctrl-C to leave:`
  const holdsIt = async (directory: string): Promise<true | string> => {
    const path = join(absolutePath(directory), name)
    const stats = await stat(path).catch(() => undefined)
    return stats?.isFile() === true || printable(`${path} is not there`)
  }
  try {
    return await withTerminal(async (terminal) => {
      const context = {input: terminal.input, output: terminal.output(), signal}
      return absolutePath(await input({message, validate: holdsIt}, context))
    })
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal)
    if (error instanceof Error && error.name === 'ExitPromptError') {
      throw new MirrorError('CANCELLED', `cancelled at the prompt for the volume ${name}`)
    }
    throw error
  }
}
