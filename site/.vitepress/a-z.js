import {readFileSync} from 'node:fs'
import {anchorOf} from './anchors.js'
import {root} from './pages.js'

/** The page on each command. */
const COMMANDS = {
  completion: 'docs/completion.md',
  'config check': 'docs/check-a-cluster-before-the-cable-is-cut.md',
  'config emit': 'docs/across-the-gap.md',
  'config explain': 'docs/explain-what-a-node-pulls.md',
  'config import': 'docs/coming-from-bmctl-and-skopeo.md',
  copy: 'docs/copy-one-image.md',
  doctor: 'docs/what-is-wrong-with-a-registry.md',
  inspect: 'docs/inspect-a-bundle.md',
  login: 'docs/credentials-and-tls.md',
  logout: 'docs/credentials-and-tls.md',
  push: 'docs/push-a-bundle.md',
  save: 'docs/save-a-bundle.md',
  serve: 'docs/serve-bundles-to-the-first-nodes.md',
  sync: 'docs/nightly-sync.md',
  verify: 'docs/verify-what-arrived.md',
}

/** The first cell of a table's row, if it is a word in code; the first words of a list's item, if they are a flag. */
const TERMS = {
  'docs/troubleshooting.md': /^\| `([A-Z][A-Z_]+)`/,
  'docs/flags.md': /^- `(--[\w-]+)/,
  'docs/glossary.md': /^\| (?!word )([a-z][^|]*?) *\|/,
}

/**
 * Returns a page with every command, flag, error code, term and heading of the pages, by its first letter: the pages have no
 * scripts, so a browser's own search on this page is the search of all.
 */
export function indexOf(pages) {
  const entries = new Map()
  const add = (word, link, title) => entries.set(`${word}\n${link}`, {word, link, title})
  for (const [command, page] of Object.entries(COMMANDS)) add(`\`mirror ${command}\``, `/${page}`, 'command')
  for (const page of pages) readPage(page, add)
  const letters = new Map()
  for (const entry of [...entries.values()].toSorted((a, b) => compare(keyOf(a.word), keyOf(b.word)))) {
    const letter = keyOf(entry.word).slice(0, 1).toUpperCase()
    letters.set(letter, [...(letters.get(letter) ?? []), entry])
  }
  const sections = [...letters].map(
    ([letter, own]) =>
      `## ${letter}\n\n${own.map(({word, link, title}) => `- [${word}](${link}), ${title}`).join('\n')}\n`,
  )
  return `# A to Z\n\nEvery command, flag, error code, term and heading. Search this page with your browser.\n\n${sections.join('\n')}`
}

function readPage(page, add) {
  const text = readFileSync(`${root}/${page}`, 'utf8').replaceAll(/^(```|~~~).*?^\1$/gms, '')
  const used = new Map()
  let title = page
  let link = `/${page}`
  for (const line of text.split('\n')) {
    const [, marks, heading] = /^(#{1,3}) (.+)$/.exec(line) ?? []
    if (marks === '#') {
      title = heading
      add(heading, link, 'page')
    } else if (marks !== undefined) {
      const anchor = anchorOf(heading)
      const times = used.get(anchor) ?? 0
      used.set(anchor, times + 1)
      link = `/${page}#${times === 0 ? anchor : `${anchor}-${times}`}`
      const words = heading.replace(/^\d+\. /, '')
      add(words.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'), link, title)
    }
    const [, term] = TERMS[page]?.exec(line) ?? []
    if (term !== undefined) add(/^[A-Z-]/.test(term) ? `\`${term}\`` : term, link, title)
  }
}

/** The word as it is looked up: without marks and articles. */
function keyOf(word) {
  return word.replaceAll(/^[^\p{L}\p{N}]+/gu, '').replace(/^(?:mirror|a|an|the) /i, '')
}

function compare(a, b) {
  return a.localeCompare(b, 'en')
}
