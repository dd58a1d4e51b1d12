import {readFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {codeOf, makeDirectory, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {EMITTED_MARK, type EmittedFile} from '../../cluster/emit/emission.js'
import {replaceFile} from '../../files/write-atomically.js'

/** All files, each after a line that names it. */
export function asText(files: readonly EmittedFile[]): string {
  return files.map(({path, text}) => `# File: ${path}\n${text.replace(/\n*$/, '\n')}`).join('\n')
}

/**
 * Writes files below a directory, each in one step, and says what became of each. Files that this program did not write
 * are only replaced if that is asked for; otherwise nothing is written.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function writeTree(
  directory: string,
  {files, overwrites}: {readonly files: readonly EmittedFile[]; readonly overwrites: boolean},
): Promise<readonly string[]> {
  const states = await Promise.all(files.map((file) => stateOf(join(directory, file.path), file)))
  const foreign = files.filter((_file, index) => states[index] === 'foreign').map(({path}) => path)
  if (foreign.length > 0 && !overwrites) {
    throw new MirrorError(
      'WRITE_FAILED',
      `${directory} has other files in these places: ${foreign.join(', ')}`,
      {hint: 'Write to an empty directory, or replace them with --overwrite.'},
    )
  }
  const lines: string[] = []
  for (const [index, file] of files.entries()) {
    const place = join(directory, file.path)
    const state = states[index] ?? 'absent'
    if (state !== 'same') await write(place, file)
    lines.push(`${DONE[state]}: ${place}`)
  }
  return lines
}

type State = 'absent' | 'same' | 'own' | 'foreign'

const DONE: Readonly<Record<State, string>> = {
  absent: 'written',
  same: 'unchanged',
  own: 'replaced',
  foreign: 'replaced, though it was another file',
}

async function stateOf(place: string, {text}: EmittedFile): Promise<State> {
  let present: string
  try {
    present = await readFile(place, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return 'absent'
    throw failed(place, cause)
  }
  if (present === text) return 'same'
  return present.startsWith(EMITTED_MARK) ? 'own' : 'foreign'
}

async function write(place: string, {text, isSecret = false}: EmittedFile): Promise<void> {
  try {
    await makeDirectory(dirname(place))
    await replaceFile(place, text, {mode: isSecret ? 0o600 : undefined})
  } catch (cause) {
    throw failed(place, cause)
  }
}

function failed(place: string, cause: unknown): MirrorError {
  return new MirrorError('WRITE_FAILED', `cannot write ${place}: ${messageOf(cause)}`, {
    hint: 'Name a directory that is writable and has room.',
    cause,
  })
}
