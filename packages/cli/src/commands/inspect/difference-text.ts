import {count, formatBytes} from '../../text/format-quantity.js'
import {printable} from '../../text/printable.js'
import type {ChangeStatus, Difference, ImageChange} from './change.js'
import {foldName, foldText, type Width} from './fold-text.js'

/** Columns before the name: the status, and the bytes to carry. */
const USED = 21
const LEAST_NAME = 16
const SHORT_DIGEST = 'sha256:'.length + 12

/** Returns a line for each image, with its status and the bytes to carry, below the sums. */
export function differenceLines(difference: Difference, {width}: Width): readonly string[] {
  const {old, images} = difference
  const room = Math.max(LEAST_NAME, width - USED)
  return [
    ...foldText(`since ${printable(old)}: ${changeWords(difference)}`, {width, indent: 2}),
    ...foldText(carryWords(difference), {width, indent: 2}),
    '',
    'STATUS     TO CARRY  IMAGE',
    ...images.flatMap((image) => {
      const {name, status, bytesToCarry} = image
      const bytes = status === 'removed' ? '-' : formatBytes(bytesToCarry)
      const lines = [...foldName(printable(name), room), ...digestLines(image)]
      return lines.map((line, index) =>
        index === 0 ? `${status.padEnd(8)}  ${bytes.padStart(9)}  ${line}` : `${' '.repeat(USED)}${line}`,
      )
    }),
  ]
}

/** `2 images added, 1 changed, 0 removed, 12 the same`. */
export function changeWords({totals}: Pick<Difference, 'totals'>): string {
  const {added, changed, removed, same} = totals
  return `${count(added, 'image')} added, ${changed} changed, ${removed} removed, ${same} the same`
}

/** `to carry: 120 MB of 812 MB`. */
export function carryWords({bytes, exact}: Pick<Difference, 'bytes' | 'exact'>): string {
  const {toCarry, present} = bytes
  return `to carry: ${exact ? '' : 'at most '}${formatBytes(toCarry)} of ${formatBytes(toCarry + present)}`
}

/** A status for people. */
export const STATUS_WORDS: Readonly<Record<ChangeStatus, string>> = {
  added: 'added',
  changed: 'changed',
  removed: 'removed',
  same: 'the same',
}

function digestLines({status, oldDigest, newDigest}: ImageChange): readonly string[] {
  if (status !== 'changed' || oldDigest === undefined || newDigest === undefined) return []
  return [`${oldDigest.slice(0, SHORT_DIGEST)} -> ${newDigest.slice(0, SHORT_DIGEST)}`]
}
