import {runMirror, type ChildResult, type RunMirrorOptions} from '@airgap-mirror/test/kit'
import {join} from 'node:path'
import {syncScene, withReport, type Synced, type SyncScene} from './sync.js'

/** A scene in which images are saved from its source, and pushed into its target. */
export interface SaveScene extends SyncScene {
  /** `mirror save --json` from the source. */
  save(flags: readonly string[], options?: RunMirrorOptions): Promise<Synced>
  /** `mirror push --json` into `mirror/` of the target. */
  push(bundle: string, flags?: readonly string[]): Promise<Synced>
  /** `mirror save` of a list into a bundle, which must go well. @returns the bundle's path */
  saved(list: string, name: string, flags?: readonly string[]): Promise<string>
  /** A path in the scene's directory. */
  path(name: string): string
}

export async function saveScene(options: Parameters<typeof syncScene>[0] = {}): Promise<SaveScene> {
  const scene = await syncScene(options)
  const path = (name: string): string => join(scene.directory, name)
  const run = async (args: readonly string[], own: RunMirrorOptions = {}): Promise<ChildResult> =>
    runMirror(args, {home: scene.directory, ...own})
  const save: SaveScene['save'] = async (flags, own) =>
    withReport(await run(['save', '--json', '--source-plain-http', ...flags], own))
  return {
    ...scene,
    path,
    save,
    saved: async (list, name, flags = []) => {
      const result = await save(['--images', list, '--output', path(name), ...flags])
      if (result.code !== 0) throw new Error(`save ended with ${result.code}: ${result.stderr}`)
      return path(name)
    },
    push: async (bundle, flags = []) =>
      withReport(
        await run([
          'push',
          '--json',
          '--plain-http',
          '--source',
          bundle,
          '--private-registry',
          `${scene.target.host}/mirror`,
          ...flags,
        ]),
      ),
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  }
}
