import {existsSync, readFileSync} from 'node:fs'
import {dirname, join, normalize} from 'node:path'
import {describe, expect, test} from 'vitest'
import {limits} from '@airgap-mirror/oci-client/model'
import {flagsPage} from './docs/flags-page.js'
import {anchors, codeBlocks, localLinks, prose, readPages, root, tableRows, type Page} from './docs/pages.js'
import {commandFlags, programFlags} from './docs/program-flags.js'

const pages = readPages()
function pageAt(path: string): Page {
  const page = pages.find((candidate) => candidate.path === path)
  if (page === undefined) throw new Error(`there is no ${path}`)
  return page
}

/** The members of a union type, out of its source. */
function unionIn(path: string, name: string): readonly string[] {
  const text = readFileSync(join(root, path), 'utf8')
  const body = new RegExp(`export type ${name} =([\\s\\S]*?)\\n\\n`).exec(text)?.[1] ?? ''
  return [...body.matchAll(/\| *'?(\w+)'?|^ *'?(\w+)'?(?= \|)/gm)].map(
    ([, later, first]) => later ?? first ?? '',
  )
}

/** Flags of every program, of tsc, of our packager and benches, and of others that the pages name too. */
const FOREIGN_FLAGS: ReadonlySet<string> = new Set(
  [
    '--help --version --build',
    '--authfile --dest --dest-cert-dir --dest-creds --dest-compress --dest-tls-verify',
    '--format --hosts-dir --scoped --src --src-cert-dir --src-creds',
    '--arch --only --codec --mib --rounds --wasm --package',
    '--dest-compress-format --retry-times --pairs --scale --cases',
    '--to-repo --to-tar --bundle --from-oci-layout-path --name',
    '--from --from-file --for --reuse-values --set --set-file',
    '--ignore-missing --namespace --patch --user --container-runtime --file --tag --delete-untagged --grep',
  ]
    .join(' ')
    .split(' '),
)

describe('the documentation', () => {
  test('docs/flags.md is what the program has', async () => {
    await expect(await flagsPage()).toMatchFileSnapshot(join(root, 'docs', 'flags.md'))
  })

  test.each(pages)('$path: links lead somewhere', (page) => {
    const dead = localLinks(page).filter((link) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page.path : normalize(join(dirname(page.path), path)).replaceAll('\\', '/')
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && !anchors(pageAt(target)).has(anchor)
    })
    expect(dead).toEqual([])
  })

  test.each(pages)('$path: flags that are named exist', async ({text}) => {
    const known = await programFlags()
    const named = [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*[a-z]/g)].map(([flag]) => flag)
    expect(named.filter((flag) => !known.has(flag.slice(2)) && !FOREIGN_FLAGS.has(flag))).toEqual([])
  })

  test.each(pages)('$path: files and scripts that are named exist', (page) => {
    const {scripts} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {scripts: object}
    const files = [...prose(page).matchAll(/`((?:packages|test|docs)\/[\w./-]+)`/g)].map(
      ([, path = '']) => path,
    )
    expect(files.filter((path) => !existsSync(join(root, path)))).toEqual([])
    const run = [...page.text.matchAll(/\bnpm (?:run (\w+)|(test))\b/g)].map(
      ([, named, test]) => named ?? test ?? '',
    )
    expect(run.filter((script) => !Object.hasOwn(scripts, script))).toEqual([])
  })

  test('every decision is in the list of the architecture', () => {
    const decisions = pages.filter(({path}) => path.startsWith('docs/adr/'))
    const list = pages.find(({path}) => path === 'docs/ARCHITECTURE.md')?.text.split('## Decisions')[1]
    for (const {path, text} of decisions) {
      expect(list).toContain(`- [${text.slice(2, text.indexOf('\n'))}](${path.slice('docs/'.length)})`)
    }
  })

  test('the exit codes are those of the program', () => {
    const known = unionIn('packages/cli/src/report/exit-code.ts', 'ExitCode')
    const told = tableRows(pageAt('README.md'), /^\d+$/).map(([code]) => code)
    expect(known).toContain('130')
    expect(new Set(told)).toEqual(new Set(known))
  })

  test('every command is shown in a code block of a page, besides the list of flags', async () => {
    const blocks = pages
      .filter(({path}) => path.startsWith('docs/') && path !== 'docs/flags.md')
      .flatMap(codeBlocks)
      .map(({text}) => text)
    const names = [...(await commandFlags()).keys()]
    expect(names).toContain('config emit')
    expect(names.filter((name) => !blocks.some((text) => text.includes(`mirror ${name} `)))).toEqual([])
  })

  test('every error has its place in the troubleshooting page, and no other is named there', () => {
    const known = unionIn('packages/oci-client/src/model/error.ts', 'ErrorCode')
    const told = tableRows(pageAt('docs/troubleshooting.md'), /^`[A-Z_]+`$/).map(([code = '']) =>
      code.slice(1, -1),
    )
    expect(known).toContain('TLS_UNTRUSTED')
    expect(new Set(told)).toEqual(new Set(known))
  })

  test('every figure of the performance page is of a run that is told, with its command and versions', () => {
    const page = pageAt('docs/performance.md')
    const runs = tableRows(page, /./).filter(([, command = '']) =>
      command.startsWith('`node test/dist/bench/'),
    )
    const names = new Set(runs.map(([name = '']) => name))
    for (const [, command = '', day, node] of runs) {
      const script = /bench\/([\w-]+)\.js/.exec(command)?.[1] ?? command
      expect({script, exists: existsSync(join(root, 'test/bench', `${script}.ts`))}).toMatchObject({
        exists: true,
      })
      expect(day).toMatch(/^(?:\d{4}-\d\d-\d\d|not noted)$/)
      expect(node).toMatch(/^\d+/)
    }
    const [, ...sections] = page.text.split(/^## /m)
    const unnamed = sections.filter((section) => {
      if (!/^\| -/m.test(section)) return false
      const inText = [...section.matchAll(/^Run: ([\w ]+)\./gm)].map(([, name = '']) => name)
      const inTable = [...section.matchAll(/\| ([\w ]+?) *\|$/gm)].map(([, name = '']) => name)
      const named = inText.length > 0 ? inText : inTable.slice(1)
      return named.length === 0 || named.some((name) => !names.has(name))
    })
    expect(unnamed).toEqual([])
  })

  test('every limit is told in SECURITY.md, with its value', () => {
    const told = tableRows(pageAt('SECURITY.md'), /^`\w+`$/).map(([name = '', value = '']) => [
      name.slice(1, -1),
      bytesIn(value),
    ])
    expect(Object.fromEntries(told)).toEqual(limits)
  })
})

/** `64 MiB` or `10,000`. */
function bytesIn(text: string): number {
  const [, number = '', unit = ''] = /^([\d,]+)(?: (KiB|MiB|TiB))?$/.exec(text) ?? []
  return Number(number.replaceAll(',', '')) * ({KiB: 2 ** 10, MiB: 2 ** 20, TiB: 2 ** 40}[unit] ?? 1)
}
