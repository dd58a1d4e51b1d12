import type {WarningAbout} from '@airgap-mirror/oci-client/model'
import {withoutNames} from '../report/failures.js'
import {count} from '../text/format-quantity.js'

const NAMES_SHOWN = 5

/**
 * Groups warnings that differ only in the image. The first of a group is told at once; the names of the others follow in one
 * line at the end.
 */
export class AlikeWarnings {
  readonly #tell: (text: string) => void
  readonly #groups = new Map<string, {readonly first: string; readonly others: Set<string>}>()

  constructor(tell: (text: string) => void) {
    this.#tell = tell
  }

  add(text: string, {name, text: general}: WarningAbout): void {
    const key = withoutNames(general, {source: name, target: ''})
    const group = this.#groups.get(key)
    if (group === undefined) {
      this.#groups.set(key, {first: name, others: new Set()})
      this.#tell(text)
    } else if (name !== group.first) group.others.add(name)
  }

  /** Tells the names that are left, and forgets them. */
  flush(): void {
    for (const [key, {others}] of this.#groups) {
      if (others.size === 0) continue
      const shown = [...others].slice(0, NAMES_SHOWN).join(', ')
      const rest = others.size > NAMES_SHOWN ? ` and ${others.size - NAMES_SHOWN} more` : ''
      this.#tell(`${key}: ${count(others.size, 'more image')}: ${shown}${rest}`)
    }
    this.#groups.clear()
  }
}
