import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {runChild} from './child.js'
import {cleanEnvironment} from './run-mirror.js'
import {withTempDir} from './temp-dir.js'

/**
 * Debian's skopeo with an empty home and a policy that accepts everything.
 * @returns its standard output
 * @throws if it fails, with its output
 */
export function skopeo(
  args: readonly string[],
  options: {readonly env?: Readonly<Record<string, string>>} = {},
): Promise<string> {
  return withTempDir(async (home) => {
    await mkdir(join(home, '.run'))
    const policy = join(home, 'policy.json')
    await writeFile(policy, JSON.stringify({default: [{type: 'insecureAcceptAnything'}]}))
    const {code, stdout, stderr} = await runChild('skopeo', ['--policy', policy, '--tmpdir', home, ...args], {
      env: {...cleanEnvironment(home), ...options.env},
    })
    if (code !== 0) throw new Error(`skopeo ${args[0] ?? ''} ended with ${code}: ${stderr}`)
    return stdout
  })
}
