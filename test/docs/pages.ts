import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'

/** The checkout these tests are run from. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** A page of documentation. */
export interface Page {
  /** From the root, with `/`. */
  readonly path: string
  readonly text: string
}

export interface CodeBlock {
  readonly language: string
  readonly text: string
  /** The number of its first line, from 1. */
  readonly line: number
}

/** Every page: those at the root and all below docs. */
export function readPages(): readonly Page[] {
  const atRoot = readdirSync(root).filter((name) => name.endsWith('.md'))
  const below = readdirSync(join(root, 'docs'), {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
  return [...atRoot, ...below]
    .toSorted()
    .map((path) => ({path, text: readFileSync(join(root, path), 'utf8')}))
}

/** Fenced blocks, with the language that is written behind the fence. */
export function codeBlocks({text}: Page): readonly CodeBlock[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ({1: language = '', 2: block = '', index}) => ({
      language,
      text: block,
      line: text.slice(0, index).split('\n').length + 1,
    }),
  )
}

/** Text outside of fenced blocks. */
export function prose({text}: Page): string {
  return text.replaceAll(/^```\w*\n[\s\S]*?^```$/gm, '')
}

/** Targets of links that stay inside the project, as they are written. */
export function localLinks(page: Page): readonly string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

/** The anchors that GitHub gives the headings of a page. */
export function anchors(page: Page): ReadonlySet<string> {
  return new Set(
    [...prose(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(/\s/g, '-'),
    ),
  )
}

/** Cells of a table's rows; the first cell has to match, which leaves headings and other tables out. */
export function tableRows(page: Page, first: RegExp): readonly (readonly string[])[] {
  return page.text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
    .filter(([cell = '']) => first.test(cell))
}
