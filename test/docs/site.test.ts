import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {dirname, join, posix} from 'node:path'
import {describe, expect, test} from 'vitest'
import {readPages, root} from './pages.js'
import {commandFlags} from './program-flags.js'

const site = join(root, 'site/dist')

/** `npm run site` builds the pages, which ordinary set-up leaves out. */
function lacksSite(): boolean {
  const isThere = existsSync(join(site, 'index.html'))
  if (!isThere && process.env['CI'] !== undefined)
    throw new Error('run "npm run site" first; in CI it has to be')
  return !isThere
}

interface HtmlPage {
  readonly path: string
  readonly html: string
}

function htmlOf(page: string): HtmlPage {
  const path = page === 'README.md' ? 'index.html' : page.replace(/\.md$/, '.html')
  return {path, html: readFileSync(join(site, path), 'utf8')}
}

/** Links of a page that lead nowhere, in the files as they lie on a disk. */
function deadLinks({path, html}: HtmlPage): readonly string[] {
  return [...html.matchAll(/\s(?:href|src)="([^"]*)"/g)]
    .map(([, link = '']) => link)
    .filter((link) => {
      if (/^(?:https?|data):/.test(link)) return false
      const [target = '', anchor] = link.split('#')
      const file = target === '' ? path : posix.join(dirname(path), target)
      if (link.startsWith('/') || !existsSync(join(site, file))) return true
      if (anchor === undefined) return false
      return !readFileSync(join(site, file), 'utf8').includes(`id="${anchor}"`)
    })
}

describe.skipIf(lacksSite())('the site (npm run site builds it)', () => {
  const pages = readPages().map(({path}) => path)

  test.each(pages)('%s: is a page of the site, whose links lead somewhere on a disk', (page) => {
    expect(deadLinks(htmlOf(page))).toEqual([])
  })

  test.each(pages)('%s: is read from a disk without a script or anything from a network', (page) => {
    const {html} = htmlOf(page)
    expect(html).not.toMatch(/<script[^>]*\ssrc=|<(?:link|img|iframe)[^>]*\s(?:href|src)="https?:/)
  })

  test('has an index with every command, flag and error code, whose links lead somewhere', async () => {
    const commands = await commandFlags()
    const page = htmlOf('a-z.md')
    expect(deadLinks(page)).toEqual([])
    expect(htmlOf('README.md').html).toContain('href="a-z.html"')
    const text = page.html.replaceAll(/<[^>]*>/g, '')
    const troubleshooting = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
    const codes = [...troubleshooting.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code = '']) => code)
    const flags = [...commands.values()].flatMap((own) => Object.keys(own))
    const words = [
      ...[...commands.keys()].map((name) => `mirror ${name}, command`),
      ...flags.map((name) => `--${name}, `),
      ...codes.map((code) => `${code}, `),
    ]
    expect(words.length).toBeGreaterThan(200)
    expect(words.filter((word) => !text.includes(word))).toEqual([])
  })

  test('no file of the site links to the root of a host', () => {
    const files = readdirSync(site, {recursive: true, encoding: 'utf8'})
    const rooted = files
      .filter((path) => path.endsWith('.html'))
      .filter((path) => /\s(?:href|src)="\//.test(readFileSync(join(site, path), 'utf8')))
    expect(rooted).toEqual([])
  })

  test.each(pages)('%s: stands in the list of pages', (page) => {
    const {path} = htmlOf(page)
    const list = htmlOf('README.md').html
    expect(list).toContain(`href="${path}"`)
  })
})
