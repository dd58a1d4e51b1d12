import {readdirSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Plugin} from 'rolldown'

const AN_HOUR = 3_600_000

/**
 * Removes what earlier builds left, but not at once: programs that were started from it may still load parts of it. So
 * `files.json` lists the files of this build, and only they are released.
 */
export function removeStale(): Plugin {
  return {
    name: 'remove-stale',
    writeBundle({dir = ''}, bundle) {
      for (const name of readdirSync(dir)) {
        const path = join(dir, name)
        if (!(name in bundle) && Date.now() - statSync(path).mtimeMs > AN_HOUR)
          rmSync(path, {recursive: true})
      }
      writeFileSync(join(dir, 'files.json'), JSON.stringify(Object.keys(bundle).toSorted()))
    },
  }
}
