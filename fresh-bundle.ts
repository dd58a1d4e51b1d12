import {readdirSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {build} from 'rolldown'
import config from './packages/cli/rolldown.config.js'

const packages = fileURLToPath(new URL('packages', import.meta.url))

/** Tests start the bundle, as users do: what the compiler has built since is bundled before they run. */
export async function setup(): Promise<void> {
  const made = statSync(join(packages, 'cli/dist/bundle/main.js'), {throwIfNoEntry: false})
  if (made !== undefined && made.mtimeMs > newestBuilt()) return
  await build(config)
}

function newestBuilt(): number {
  return Math.max(
    ...readdirSync(packages)
      .flatMap((name) => readdirSync(join(packages, name, 'dist'), {recursive: true, withFileTypes: true}))
      .filter(({name, parentPath}) => name.endsWith('.js') && !/[\\/]dist[\\/]bundle/.test(parentPath))
      .map(({name, parentPath}) => statSync(join(parentPath, name)).mtimeMs),
  )
}
