import {existsSync} from 'node:fs'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {lacksTool} from '@airgap-mirror/test/kit'
import {root} from './pages.js'
import {setStage, type Stage} from './stage.js'
import {COLUMNS, pictureOf, ROWS} from './terminal-picture.js'

const REGISTRY = '--private-registry registry.example:5000/mirror --cacert ca.pem'
const PICTURES = [
  {name: 'push', command: `mirror push --source bundle.tar.xz ${REGISTRY}`},
  {name: 'verify', command: `mirror verify --source bundle.tar.xz ${REGISTRY}`},
  {name: 'inspect', command: 'mirror inspect bundle.tar.xz --tree'},
] as const

/** The lines without numbers, sorted: times differ from run to run, and so does the order in which images are done. */
function wordsOf(svg: string): readonly string[] {
  return svg
    .replaceAll(/[\d.]+/g, '0')
    .split('\n')
    .toSorted()
}

describe.skipIf(lacksTool('script'))('the pictures of terminals show what the program prints today', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await setStage()
  })
  afterAll(() => stage[Symbol.asyncDispose]())

  // A push comes first, because verify needs what it brought.
  test.sequential.each(PICTURES)('$name (MIRROR_PICTURES=write makes it anew)', async ({name, command}) => {
    const inTerminal = `stty rows ${ROWS} cols ${COLUMNS}; ${command}`
    const {code, output} = await stage.run(`TERM=xterm-256color script -qfec '${inTerminal}' /dev/null`)
    expect({code, output}).toMatchObject({code: 0})
    const picture = await pictureOf(command, output)
    const file = join(root, 'docs/pictures', `${name}.svg`)
    if (process.env['MIRROR_PICTURES'] === 'write') {
      await mkdir(join(root, 'docs/pictures'), {recursive: true})
      await writeFile(file, picture)
    }
    expect(existsSync(file)).toBe(true)
    expect(wordsOf(picture)).toEqual(wordsOf(await readFile(file, 'utf8')))
  })
})
