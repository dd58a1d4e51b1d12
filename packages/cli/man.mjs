import {mkdir, rm, writeFile} from 'node:fs/promises'
import {commands} from './dist/commands/index.js'
import {commandEntries} from './dist/help/command-entry.js'
import {completionScript, shells} from './dist/help/completion/completion.js'
import {manPages} from './dist/help/man-page.js'

// Manual pages and completion scripts, beside the program: packages take them from here.
const entries = commandEntries(commands)
await write('man', manPages(entries))
await write(
  'completions',
  shells.map((shell) => ({file: `mirror.${shell}`, text: completionScript(shell, entries)})),
)

async function write(folder, files) {
  const directory = new URL(`dist/${folder}/`, import.meta.url)
  await rm(directory, {recursive: true, force: true})
  await mkdir(directory, {recursive: true})
  for (const {file, text} of files) await writeFile(new URL(file, directory), text)
}
