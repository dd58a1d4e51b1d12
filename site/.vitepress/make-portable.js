import {existsSync} from 'node:fs'
import {cp, mkdir, readFile, rm, writeFile} from 'node:fs/promises'
import {dirname, posix} from 'node:path'
import {addressOf, root} from './pages.js'

/** An address in the site, in an attribute. */
const LINK = /(?<=\s(?:href|src)=")(?!https?:|#|data:|mailto:)([^"#]*)/g

/**
 * Makes the pages readable from a disk, a stick or any path of a web server: links are relative, and the files that the pages link to
 * lie beside them.
 */
export async function makePortable(outDir, pages) {
  for (const page of pages) {
    const directory = dirname(addressOf(page))
    const file = `${outDir}/${addressOf(page)}.html`
    const html = await readFile(file, 'utf8')
    const linked = new Set()
    const portable = html.replaceAll(LINK, (link) => {
      const target = fileOf(link.startsWith('/') ? link.slice(1) : posix.join(directory, link))
      linked.add(target)
      return posix.relative(directory, target)
    })
    await writeFile(file, portable)
    for (const target of linked) await copyFile(target, outDir)
  }
  // Scripts alone would need the first two. The last is for a web server at the root of a host.
  for (const file of ['hashmap.json', 'package.json', '404.html']) await rm(`${outDir}/${file}`)
}

/** Returns the file of a link's target. VitePress takes every file with an ending that it does not know for a page. */
function fileOf(target) {
  if (target === '' || target === 'README.html') return 'index.html'
  const file = target.replace(/\.html$/, '')
  return file !== target && existsSync(`${root}/${file}`) ? file : target
}

/** Copies a file of the repository that is not a page, such as an example. */
async function copyFile(target, outDir) {
  if (existsSync(`${outDir}/${target}`) || target.endsWith('.html')) return
  await mkdir(dirname(`${outDir}/${target}`), {recursive: true})
  await cp(`${root}/${target}`, `${outDir}/${target}`, {recursive: true})
}
