import {readFileSync} from 'node:fs'
import {expect, test} from 'vitest'
import {VERSION} from '#src/text/version.js'

test.each(['cli', 'bundle', 'oci-client'])('the version of the program is that of the package %s', (name) => {
  const manifest = new URL(`../../${name}/package.json`, import.meta.url)
  expect(JSON.parse(readFileSync(manifest, 'utf8'))).toMatchObject({version: VERSION})
})
