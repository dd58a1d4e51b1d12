import {readdirSync, readFileSync} from 'node:fs'
import {join, relative, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {expect, it} from 'vitest'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const files = ['test', 'packages/oci-client/test', 'packages/bundle/test', 'packages/cli/test']
  .flatMap((folder) => readdirSync(join(root, folder), {recursive: true, withFileTypes: true}))
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map(({parentPath, name}) => relative(root, join(parentPath, name)))
  .filter((path) => !/\/(?:node_modules|dist|bench)\//.test(path))

/** The lines of tests that match, as `file: line`. */
function linesWith(pattern: RegExp): readonly string[] {
  return files.flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  )
}

it('no test fails because a machine is slow', () => {
  const bound =
    /expect\(.*(?:performance\.now\(\)|Date\.now\(\)|\.ms\b|cpuUsage\().*\)\.(?:not\.toBeGreater|toBeLess)/
  // The runner ends a test that hangs after 300 s.
  const ending = /^(?: {2})*\}, [12]?\d{1,2}_?\d{3}\)$/
  expect([...linesWith(bound), ...linesWith(ending)]).toEqual([])
})

it('tests script the server of the kit, except those whose subject is a connection, a proxy or a registry', () => {
  const makers = linesWith(/\bhttps?\.createServer\(|createServer.*from 'node:https?'$/)
  const paths = new Set(makers.map((line) => line.slice(0, line.indexOf(':'))))
  const allowed = [
    'packages/oci-client/test/http-loopback.ts',
    'test/kit/proxy.ts',
    'test/kit/scripted-server.ts',
    'test/nodes/public-registries.ts',
    'test/registry/listener.ts',
  ]
  expect(paths).toEqual(new Set(allowed))
})
