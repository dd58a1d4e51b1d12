import {mkdir, rename} from 'node:fs/promises'
import {
  cleanEnvironment,
  lacksTool,
  makeImage,
  mirrorProgram,
  runInTerminal,
  type PtyResult,
} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'
import {saveScene, type SaveScene} from './save.js'

/** A set of four volumes, the last two on another disk. */
async function volumeScene(): Promise<SaveScene> {
  const scene = await saveScene()
  const image = await makeImage({seed: 'volume-prompt', content: 'random', layerSize: 230_000, layers: 1})
  const list = await scene.list(await scene.add('team/app:v1', image))
  await scene.saved(list, 'set.tar', ['--max-size', '64K'])
  await mkdir(scene.path('disk'))
  await mkdir(scene.path('.run'), {recursive: true, mode: 0o700})
  for (const end of ['003', '004'])
    await rename(scene.path(`set.tar.${end}`), scene.path(`disk/set.tar.${end}`))
  return scene
}

function inTerminal(
  scene: SaveScene,
  args: readonly string[],
  answers: readonly string[],
): Promise<PtyResult> {
  return runInTerminal(process.execPath, [mirrorProgram(), ...args], {
    env: cleanEnvironment(scene.directory),
    cwd: scene.directory,
    dialogue: answers.map((answer, index) => ({
      expect: index === 0 ? /The volume set\.tar\.003 is not here/ : /is not there/,
      send: `${answer}\r`,
    })),
  })
}

describe.skipIf(lacksTool('script'))('volumes on another disk', () => {
  test('are asked for on a terminal, and a directory that was given once is looked into first', async () => {
    await using scene = await volumeScene()
    const target = `${scene.target.host}/mirror`
    const push = ['push', '--source', 'set.tar.001', '--private-registry', target, '--plain-http']
    const {code, transcript} = await inTerminal(scene, push, ['elsewhere', '\u0015disk'])
    expect({code, transcript}).toMatchObject({code: 0})
    expect(transcript).not.toContain('The volume set.tar.004')
    expect(scene.at('team/app:v1')).toBeDefined()
  })

  test('are asked for by verify and copy as well', async () => {
    await using scene = await volumeScene()
    const verified = await inTerminal(scene, ['verify', '--source', 'set.tar.001'], ['disk'])
    expect(verified).toMatchObject({code: 0})
    const copied = await inTerminal(scene, ['copy', 'oci-archive:set.tar.001', 'oci:out:v1'], ['disk'])
    expect(copied).toMatchObject({code: 0})
  })
})
