const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** Three digits and a decimal unit: `812 MB`, `1.24 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // 999.5 would be shown as 1000
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}

/** @param bytesPerSecond shown like `9.81 MB/s` */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`
}

/** `0.4 s`, `34 s`, `1m05s`, `2h05m`, `3d04h`. */
export function formatDuration(milliseconds: number): string {
  const exact = Math.max(0, milliseconds) / 1000
  if (exact < 9.95) return `${exact.toFixed(1)} s`
  const seconds = Math.round(exact)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return pair(seconds, {big: ['m', 60], small: ['s', 1]})
  if (seconds < 86_400) return pair(seconds, {big: ['h', 3600], small: ['m', 60]})
  return pair(seconds, {big: ['d', 86_400], small: ['h', 3600]})
}

/** `1 image`, `2 images`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

type Unit = readonly [name: string, seconds: number]

function pair(seconds: number, {big, small}: {readonly big: Unit; readonly small: Unit}): string {
  return `${Math.floor(seconds / big[1])}${big[0]}${String(Math.floor((seconds % big[1]) / small[1])).padStart(2, '0')}${small[0]}`
}
