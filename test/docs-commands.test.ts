import {describe, expect, test} from 'vitest'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {codeBlocks, readPages, type CodeBlock} from './docs/pages.js'
import {setStage} from './docs/stage.js'

/** A comment that says how the last command of a block ends; otherwise it has to end well. */
function expectedCode(script: string): number {
  return Number(/^# exit code (\d+)/m.exec(script)?.[1] ?? 0)
}

function isRun({language, text}: CodeBlock): boolean {
  return language === 'sh' && /(?:^|[|;&(])\s*mirror [a-z]/m.test(text)
}

const pages = readPages()
  .map((page) => ({
    path: page.path,
    blocks: codeBlocks(page).filter(isRun),
    jobFile: codeBlocks(page).find(({language, text}) => language === 'yaml' && /^jobs:/m.test(text))?.text,
  }))
  .filter(({blocks}) => blocks.length > 0)

describe.skipIf(process.platform === 'win32')(
  'commands in the documentation work as they are written',
  () => {
    test('there are some', () => {
      expect(pages.flatMap(({blocks}) => blocks).length).toBeGreaterThan(20)
    })

    test.for(pages)('$path', async ({path, blocks, jobFile}) => {
      await using stage = await setStage({isShared: true})
      // The first job file of a page is the file that its commands name.
      if (jobFile !== undefined) await writeFile(join(stage.directory, 'mirror.yaml'), jobFile)
      for (const {text, line} of blocks) {
        const {code, output} = await stage.run(text)
        expect({code}, `${path}:${line}\n${output}`).toEqual({code: expectedCode(text)})
        expect(stage.problems()).toEqual([])
      }
    })
  },
)
