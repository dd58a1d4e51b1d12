import type {Plugin} from 'rolldown'

/**
 * Finds the modules that every run loads: those that the program's entry imports, dynamically, before it knows the
 * command. As one file they load faster than as thirty, which is how they would be split by who else imports them.
 */
export function startChunk(entry: string): {
  plugin: Plugin
  group: {name: string; test: (id: string) => boolean}
} {
  const modules = new Set<string>()
  return {
    plugin: {
      name: 'start-chunk',
      buildEnd() {
        const before = new Set<string>()
        const follow = (id: string, into: Set<string>): void => {
          if (before.has(id) || into.has(id)) return
          into.add(id)
          for (const imported of this.getModuleInfo(id)?.importedIds ?? []) follow(imported, into)
        }
        follow(entry, before)
        for (const id of this.getModuleInfo(entry)?.dynamicallyImportedIds ?? []) follow(id, modules)
      },
    },
    group: {name: 'start', test: (id) => modules.has(id)},
  }
}
