import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import {explain, parseRuntime} from '#src/cluster/explain/explain.js'
import {readNodeFiles} from '#src/cluster/files/read-node-files.js'

interface ExpectedTry {
  readonly url: string
  readonly ca?: string
  readonly auth: string
  readonly skipVerify?: boolean
  readonly public?: boolean
  readonly orUrl?: string
}

interface Expected {
  readonly platform: string
  readonly outcome: string
  readonly message?: string
  readonly tries: readonly ExpectedTry[]
  readonly endsAtPublic: boolean
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../../test/node-files')
const cases = readdirSync(root, {withFileTypes: true})
  .filter((entry) => entry.isDirectory())
  .map(({name}) => name)

describe('the files of a node are explained as the runtime behaves', () => {
  it.each(cases)('%s', (name) => {
    const read = (file: string): string => readFileSync(join(root, name, file), 'utf8')
    const expected = JSON.parse(read('expected.json')) as Expected
    const as = parseRuntime(expected.platform)
    const files = readNodeFiles(join(root, name, 'files'), {as: as.runtime.name})
    const explanation = explain(read('ref.txt').trim(), {files, as})
    const tries = explanation.tries.map(({url, ca, auth, skipVerify, public: isPublic, orUrl}) => ({
      url,
      auth,
      skipVerify,
      public: isPublic,
      ca,
      orUrl,
    }))
    expect({outcome: explanation.outcome, endsAtPublic: explanation.endsAtPublic, tries}).toEqual({
      outcome: expected.outcome,
      endsAtPublic: expected.endsAtPublic,
      tries: expected.tries.map((one) => ({
        url: one.url,
        auth: one.auth,
        skipVerify: one.skipVerify ?? false,
        public: one.public ?? false,
        ca: one.ca,
        orUrl: one.orUrl,
      })),
    })
    expect(explanation.message ?? '').toContain(expected.message ?? '')
  })
})
