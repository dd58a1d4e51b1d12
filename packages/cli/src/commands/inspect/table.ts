import {formatBytes} from '../../text/format-quantity.js'
import {printable} from '../../text/printable.js'
import {isSigned} from './bundle-facts.js'
import {differenceLines} from './difference-text.js'
import {foldName, foldText, type Width} from './fold-text.js'
import type {InspectedBundle, InspectedImage, Inspection, InspectionWarning} from './inspection.js'
import {contentWords, formatName, producerName, referrerWords, storageWords} from './words.js'

/** Names in one warning; the others are counted. */
const NAMES_SHOWN = 5
/** Entries and parts of a bundle of several archives; the others are counted. */
const ENTRIES_SHOWN = 30
const UNUSED_SHOWN = 10

/** Returns the facts of a bundle, a row for each image or each change, and the warnings. */
export function formatTable(inspection: Inspection, {width}: Width): string {
  const {images, diff} = inspection
  const rows = diff === undefined ? imageRows(images, {width}) : differenceLines(diff, {width})
  return [
    ...heading(inspection).flatMap((line) => foldText(line, {width, indent: 2})),
    ...(images.length === 0 ? [] : ['', ...rows]),
    ...remarks(inspection, {width}),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

/** Returns what is said of the bundle as a whole, a line each. */
export function heading(inspection: Inspection): readonly string[] {
  const {source, bundle, totals} = inspection
  const producer = producerName(bundle.producer)
  const by = producer === undefined ? '' : `, written by ${producer}`
  const referrers = referrerWords(totals.referrers)
  const {leftOut} = bundle
  return [
    `${printable(source)}: ${formatName(bundle.format)}${by}`,
    storageWords(bundle),
    contentWords(inspection),
    ...(totals.platforms.length === 0 ? [] : [`platforms: ${totals.platforms.map(printable).join(', ')}`]),
    ...(referrers === '' ? [] : [referrers]),
    ...(leftOut.blobs === 0
      ? []
      : [
          `a delta: ${formatBytes(leftOut.bytes)} in ${leftOut.blobs} blobs are left out, for the registry has them`,
        ]),
  ]
}

/** Returns the outer entries of a bundle of several archives, what is unused, and the warnings. */
export function remarks(inspection: Inspection, {width}: Width): readonly string[] {
  const {bundle, unused, warnings, images} = inspection
  const isUnknown = bundle.format === 'nested' || images.length === 0
  const unusedLines = unused.map(
    ({path, bytes, reason}) =>
      `${printable(path === '' ? 'the bundle' : path)} (${formatBytes(bytes)}): ${printable(reason)}`,
  )
  return [
    ...(isUnknown ? entryRows(bundle, {width}) : []),
    ...listed('not used:', unusedLines, {width, most: UNUSED_SHOWN}),
    ...(warnings.length === 0 ? [] : ['']),
    ...warnings.flatMap((warning) => foldText(warningLine(warning, images.length), {width, indent: 2})),
  ]
}

/** Returns a warning as a sentence that names its first images, unless it is about all of them. */
export function warningLine({message, images = []}: InspectionWarning, all: number): string {
  if (images.length === all) return `warning: ${printable(message)}`
  const names = images.slice(0, NAMES_SHOWN).map(printable).join(', ')
  const more = images.length > NAMES_SHOWN ? `, and ${images.length - NAMES_SHOWN} more` : ''
  return `warning: ${printable(message)}${names === '' ? '' : `: ${names}${more}`}`
}

interface Column {
  readonly title: string
  readonly right?: boolean
  readonly cell: (image: InspectedImage) => string
}

const COLUMNS: readonly Column[] = [
  {title: 'SIZE', right: true, cell: ({bytes}) => formatBytes(bytes.total)},
  {title: 'OWN', right: true, cell: ({bytes}) => formatBytes(bytes.own)},
  {title: 'SHARED', right: true, cell: ({bytes}) => formatBytes(bytes.shared)},
  {title: 'PLATFORMS', cell: platformCell},
  {title: 'SIGNED', cell: (image) => (isSigned(image) ? 'yes' : 'no')},
]

const PLAIN: Column = {title: 'PLAIN', right: true, cell: ({bytes}) => formatBytes(bytes.plain)}

function imageRows(images: readonly InspectedImage[], {width}: Width): readonly string[] {
  const hasPlain = images.some(({bytes}) => bytes.plain > 0)
  const columns = hasPlain ? [...COLUMNS.slice(0, 3), PLAIN, ...COLUMNS.slice(3)] : COLUMNS
  const cells = images.map((image) => columns.map(({cell}) => cell(image)))
  const widths = columns.map(({title}, index) =>
    Math.max(title.length, ...cells.map((row) => row[index]?.length ?? 0)),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => {
        const to = widths[index] ?? 0
        return columns[index]?.right === true ? cell.padStart(to) : cell.padEnd(to)
      })
      .join('  ')
  const used = line(columns.map(({title}) => title)).length + 2
  const room = Math.max(16, width - used)
  return [
    `${line(columns.map(({title}) => title))}  IMAGE`,
    ...images.flatMap((image, index) => {
      const [first = '', ...rest] = foldName(printable(image.name), room)
      return [`${line(cells[index] ?? [])}  ${first}`, ...rest.map((part) => `${' '.repeat(used)}${part}`)]
    }),
  ]
}

/** The only platform, or how many there are: `linux/` is left out, since most are for it. */
function platformCell({platforms, kind, status}: InspectedImage): string {
  if (status === 'damaged') return 'damaged'
  if (kind === 'chart' || kind === 'artifact') return kind
  // The config that names it is left out of a delta bundle.
  if (platforms.length === 0) return '-'
  const present = platforms.filter((platform) => platform.present)
  const [only] = present
  if (present.length < platforms.length) return `${present.length} of ${platforms.length}`
  if (present.length !== 1 || only === undefined) return String(present.length)
  const name = printable(only.platform.replace(/^linux\//, ''))
  return name.length > 13 ? `${name.slice(0, 12)}…` : name
}

function entryRows({entries, parts}: InspectedBundle, {width}: Width): readonly string[] {
  const isRead = new Map(parts.map((part) => [part.path, part]))
  const lines = entries.first
    .filter(({kind}) => kind !== 'directory')
    .map(({path, kind, bytes}) => {
      const part = isRead.get(path)
      const what = part === undefined ? kind : `${kind}, ${formatName(part.format)}`
      return `${printable(path)} (${what}, ${formatBytes(bytes)})`
    })
  const directories = entries.first.filter(({kind}) => kind === 'directory').length
  return listed('it holds:', lines, {width, most: ENTRIES_SHOWN, count: entries.count - directories})
}

function listed(
  title: string,
  lines: readonly string[],
  {width, most, count = lines.length}: Width & {readonly most: number; readonly count?: number},
): readonly string[] {
  if (lines.length === 0) return []
  const shown = lines.slice(0, most).flatMap((line) => foldText(`  ${line}`, {width, indent: 4}))
  const more = count - Math.min(most, lines.length)
  return ['', title, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])]
}
