import {writeAtomically} from '../../files/write-atomically.js'
import type {ExitCode} from '../../report/exit-code.js'
import {readOlder} from '../../run/older-content.js'
import type {Run} from '../../run/run.js'
import {outputError, writingProblems} from '../../run/output-problems.js'
import {runAsking} from '../../run/run-asking.js'
import {writeStandardOutput} from '../../run/standard-streams.js'
import type {FlagValues} from '../../settings/flag-values.js'
import {formatFailure} from '../../text/format-error.js'
import {jsonText} from '../../text/printable.js'
import {differenceOf} from './difference.js'
import {formatPage} from './page.js'
import {inspectBundle} from './inspect-bundle.js'
import {inspectFlags} from './inspect-flags.js'
import {readInspectSettings, type InspectSettings} from './inspect-settings.js'
import type {Inspection} from './inspection.js'
import {formatTable} from './table.js'
import {formatTree} from './tree.js'

const command = {name: 'inspect', flags: inspectFlags}
const NARROWEST = 60
const USUAL_WIDTH = 80

/**
 * Writes what a bundle holds to standard output.
 * @returns 2 if it has no image that can be read, 3 if an image cannot be read or lacks content
 * @throws {MirrorError} USAGE, WRITE_FAILED, and the errors of opening a bundle
 */
export async function runInspect(bundle: string, flags: FlagValues): Promise<ExitCode> {
  const settings = readInspectSettings(bundle, flags)
  const {page, diff} = settings
  const problems = await writingProblems({html: page}, diff === undefined ? [bundle] : [bundle, diff])
  if (problems.length > 0) throw outputError(problems)
  const {stateDirectory} = settings
  const inspection = await runAsking((run) => inspectAndCompare(settings, run), {stateDirectory})
  if (page !== undefined) await writeAtomically(page, formatPage(inspection, {madeAt: new Date()}))
  await writeStandardOutput(shown(inspection, settings))
  const {error, totals} = inspection
  if (error !== undefined) {
    process.stderr.write(formatFailure([error.side ?? 'source', error.message], error.hint))
    return 2
  }
  return totals.damaged > 0 ? 3 : 0
}

async function inspectAndCompare({bundle, diff, scratch}: InspectSettings, run: Run): Promise<Inspection> {
  const older = diff === undefined ? undefined : await readOlder(diff, '--diff')
  const newer = await inspectBundle(bundle, {run, command, scratch})
  if (diff === undefined || older === undefined || newer.error !== undefined) return newer
  const before =
    'images' in older
      ? older
      : {inspection: await inspectBundle(older.bundle, {run, command, scratch, requireImages: true})}
  return {...newer, diff: differenceOf(diff, {older: before, newer})}
}

function shown(inspection: Inspection, {form}: InspectSettings): string {
  if (form === 'json') return `${jsonText(inspection, 2)}\n`
  const width = Math.max(NARROWEST, process.stdout.columns ?? USUAL_WIDTH)
  return form === 'tree' ? formatTree(inspection, {width}) : formatTable(inspection, {width})
}
