import {writeFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {defineConfig} from 'vitepress'
import {indexOf} from './a-z.js'
import {anchorOf} from './anchors.js'
import {makePortable} from './make-portable.js'
import {addressOf, groups, INDEX, root, titleOf} from './pages.js'

const pages = Object.values(groups).flat()
/** Pages without an answer for a user. */
const aside = new Set([...groups['For engineers'], 'CHANGELOG.md', INDEX])
writeFileSync(`${root}/${INDEX}`, indexOf(pages.filter((page) => !aside.has(page))))

export default defineConfig({
  title: 'mirror',
  description: 'Carries container images across an air gap and into a private registry',
  lang: 'en',
  srcDir: '..',
  srcExclude: ['**/node_modules/**', 'site/dist/**', 'test/**'],
  outDir: 'dist',
  rewrites: {'README.md': 'index.md', [INDEX]: 'a-z.md'},
  // Pages without scripts: a browser runs none that it reads from a disk.
  mpa: true,
  markdown: {
    html: false,
    anchor: {slugify: anchorOf},
    config: (md) => {
      const render = md.renderer.rules.code_inline
      md.renderer.rules.code_inline = (tokens, at, ...rest) => {
        // Vue would evaluate the templates of docker and Helm.
        tokens[at].attrSet('v-pre', '')
        return render(tokens, at, ...rest)
      }
    },
  },
  // The pages lie above this package, so they do not find its dependencies by themselves.
  vite: {resolve: {alias: {vue: fileURLToPath(new URL('../node_modules/vue', import.meta.url))}}},
  // The links between pages are checked by the tests, and files beside the pages are copied at the end.
  ignoreDeadLinks: true,
  appearance: 'force-auto',
  themeConfig: {
    aside: false,
    sidebar: Object.entries(groups).map(([text, items]) => ({
      text,
      items: items.map((page) => ({text: titleOf(page), link: `/${addressOf(page)}`})),
    })),
  },
  buildEnd: ({outDir}) => makePortable(outDir, pages),
})
