import {readdir, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'

const HOUR = 3_600_000
/** The share of entries kept in a full drawer, so that not every new entry causes a scan of all. */
const KEPT = 3 / 4
const BATCH = 64

/**
 * Removes entries that are too old or too many, the oldest first, and half-written files that a crash left. Never rejects:
 * an entry that cannot be removed stays.
 */
export async function discardOld(
  directory: string,
  {entries, maxAge}: {readonly entries: number; readonly maxAge: number},
): Promise<void> {
  const now = Date.now()
  const names = await readdir(directory).catch(() => [])
  const files: {readonly path: string; readonly age: number; readonly isWhole: boolean}[] = []
  for (let at = 0; at < names.length; at += BATCH) {
    const batch = names.slice(at, at + BATCH).map(async (name) => {
      const path = join(directory, name)
      const {mtimeMs} = await stat(path)
      files.push({path, age: now - mtimeMs, isWhole: !name.startsWith('.')})
    })
    await Promise.allSettled(batch)
  }
  const whole = files.filter(({isWhole}) => isWhole).sort((left, right) => left.age - right.age)
  const room = whole.length > entries ? Math.floor(entries * KEPT) : entries
  const unwanted = [
    ...whole.filter(({age}, index) => index >= room || age > maxAge),
    ...files.filter(({isWhole, age}) => !isWhole && age > HOUR),
  ]
  await Promise.allSettled(unwanted.map(({path}) => rm(path, {force: true})))
}
