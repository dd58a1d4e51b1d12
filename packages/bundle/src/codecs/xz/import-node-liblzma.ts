import type * as NodeLiblzma from 'node-liblzma'

/**
 * A name that only the packaged program's package.json gives: it brings a second binary, because the first needs
 * glibc 2.34.
 */
const COMPILED = '#node-liblzma-compiled'

/** Returns node-liblzma with the first of its binaries that loads here, or undefined. */
export async function importNodeLiblzma(): Promise<typeof NodeLiblzma | undefined> {
  return (
    (await import('node-liblzma').catch(() => undefined)) ??
    ((await import(COMPILED).catch(() => undefined)) as typeof NodeLiblzma | undefined)
  )
}
