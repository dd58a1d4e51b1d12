import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import {
  cleanEnvironment,
  lacksTool,
  makeImage,
  makeTempDir,
  mirrorProgram,
  runInTerminal,
  type PtyResult,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'

const ESCAPE = '\u001b'

describe.skipIf(lacksTool('script'))('on a terminal', () => {
  let directory: TempDir
  let source: string
  let registry: TestRegistry

  beforeAll(async () => {
    directory = await makeTempDir()
    await mkdir(join(directory.path, '.run'))
    registry = await startRegistry({strict: true, latency: 50})
    const image = await makeImage({seed: 'terminal', layerSize: 400_000, content: 'random'})
    source = await writeOciBundle(directory.path, [named('gcr.io/team/app:v1', image)])
  })
  afterAll(async () => {
    await registry.close()
    await directory.remove()
  })

  const run = (namespace: string, flags: readonly string[]): Promise<PtyResult> =>
    runInTerminal(
      process.execPath,
      [
        mirrorProgram(),
        ...argv`push --source ${source} --private-registry ${registry.host}/${namespace} --plain-http
          --limit-rate 400KiB ${flags}`,
      ],
      {env: cleanEnvironment(directory.path), dialogue: []},
    )
  /** Returns the lines left on the screen. */
  const screen = (transcript: string): string =>
    // oxlint-disable-next-line no-control-regex -- escape sequences are what it looks for
    transcript.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '\n')

  test('bars show what is sent, and are gone when the figures come', async () => {
    const {code, transcript} = await run('bars', [])
    expect({code, transcript}).toMatchObject({code: 0})
    expect(transcript).toContain(`${ESCAPE}[`)
    expect(screen(transcript)).toMatch(/\d+%/)
    expect(screen(transcript)).toMatch(/1 image: 1 pushed, 0 present, 0 failed; 80\d kB sent/)
    expect(transcript.lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(transcript.lastIndexOf(`${ESCAPE}[?25l`))
  })

  test.each(['plain', 'json', 'none'])('--progress %s leaves the terminal alone', async (mode) => {
    const {code, transcript} = await run(mode, argv`--progress ${mode}`)
    expect(code).toBe(0)
    expect(transcript).not.toContain(ESCAPE)
  })
})
