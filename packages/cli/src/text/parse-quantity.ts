import {MirrorError} from '@airgap-mirror/oci-client/model'

const SIZE = /^(\d{1,16})(?:\.(\d{1,6}))?\s?([kmgtp]?)(i?b?)$/i
const POWERS = ['', 'k', 'm', 'g', 't', 'p'] as const

/**
 * Bytes from `1048576`, `64MiB`, `64M` (both 2^20 times 64) or `4GB` (10^9 times 4); upper and lower case.
 * @throws {MirrorError} USAGE
 */
export function parseSize(text: string): number {
  const [, whole, fraction = '', prefix = '', suffix = ''] = SIZE.exec(text.trim()) ?? []
  const power = POWERS.findIndex((name) => name === prefix.toLowerCase())
  const plain = power === 0
  if (whole === undefined || (plain && (fraction !== '' || suffix.toLowerCase().startsWith('i')))) {
    throw invalid('size', text, 'write bytes, or a size like 64MiB, 64M or 4GB')
  }
  const base = suffix.toLowerCase() === 'b' ? 1000 : 1024
  const bytes = Math.floor(Number(`${whole}.${fraction}0`) * base ** power)
  if (!Number.isSafeInteger(bytes)) throw invalid('size', text, 'it is too large')
  return bytes
}

/**
 * Bytes per second from a size, with or without `/s` after it.
 * @throws {MirrorError} USAGE
 */
export function parseRate(text: string): number {
  const rate = /\d/.test(text) ? parseSize(text.trim().replace(/\/s$/, '')) : 0
  if (rate === 0) throw invalid('rate', text, 'write bytes per second, as 500k or 20MB')
  return rate
}

const DURATION =
  /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,3})?)s)?(?:(\d{1,9})ms)?$/

/** The longest delay of a timer: a longer delay would fire at once. */
const LONGEST = 2 ** 31 - 1

/**
 * Milliseconds from `30s`, `5m`, `1h`, `1h30m`, `250ms`, `2d` or `0`.
 * @throws {MirrorError} USAGE
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim()
  if (trimmed === '0') return 0
  const match = trimmed === '' ? null : DURATION.exec(trimmed)
  if (match === null) throw invalid('duration', text, 'write it with a unit, as 30s, 5m or 1h')
  const [days, hours, minutes, seconds, milliseconds] = match.slice(1).map((part) => Number(part ?? 0))
  const total =
    (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 +
    Math.round((seconds ?? 0) * 1000) +
    (milliseconds ?? 0)
  if (total > LONGEST) throw invalid('duration', text, 'it is longer than 24 days')
  return total
}

function invalid(what: string, text: string, why: string): MirrorError {
  return new MirrorError('USAGE', `not a ${what}: ${JSON.stringify(text.slice(0, 100))}: ${why}`)
}
