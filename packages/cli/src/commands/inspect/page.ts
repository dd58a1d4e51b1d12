import {createHash} from 'node:crypto'
import {basename} from 'node:path'
import {VERSION} from '../../text/version.js'
import type {Inspection} from './inspection.js'
import {formatName, producerName, storageWords} from './words.js'
import {bundleSection} from './bundle-section.js'
import {changesSection} from './changes-section.js'
import {contentsSection} from './contents-section.js'
import {figures} from './figures.js'
import {imagesSection} from './images-section.js'
import {html, Markup} from './markup.js'
import {STYLE} from './style.js'
import {warningsSection} from './warnings-section.js'

export interface PageOptions {
  /** The time of the inspection, which the page names. */
  readonly madeAt: Date
}

/**
 * Returns the findings as one page that loads nothing and needs no script. All text of the bundle is escaped, and a
 * policy in the page forbids anything that might get through.
 */
export function formatPage(inspection: Inspection, {madeAt}: PageOptions): string {
  const {source, bundle, diff} = inspection
  const title = source === '-' ? 'standard input' : basename(source)
  const producer = producerName(bundle.producer)
  const date = `${madeAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const sections: readonly (readonly [id: string, title: string, content: Markup | undefined])[] = [
    ['warnings', 'Worth a look', warningsSection(inspection)],
    ['changes', 'Since the last one', diff === undefined ? undefined : changesSection(diff)],
    ['images', 'Images', imagesSection(inspection.images)],
    ['contents', 'Every digest', contentsSection(inspection)],
    ['bundle', 'The bundle', bundleSection(inspection)],
  ]
  const shown = sections.filter((section): section is [string, string, Markup] => section[2] !== undefined)
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy()}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}: contents of the bundle</title>
        <link rel="icon" href="data:," />
        ${new Markup(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <header>
          <p class="eyebrow">Contents of a bundle of container images</p>
          <h1>${title}</h1>
          <p class="lead">
            ${capitalized(formatName(bundle.format))}${producer === undefined ? '' : `, written by ${producer}`}.
            ${storageWords(bundle)}.
          </p>
          <p class="lead small">Inspected on ${date} with mirror ${VERSION}.</p>
          <nav aria-label="Sections">${shown.map(([id, name]) => html`<a href="#${id}">${name}</a>`)}</nav>
        </header>
        <main>
          ${figures(inspection)}
          ${shown.map(
            ([id, name, content]) =>
              html`<section
                id="${id}"
                ${id === 'contents' ? new Markup(' class="appendix"') : ''}
                aria-label="${name}"
              >
                <h2>${name}</h2>
                ${content}
              </section> `,
          )}
        </main>
        <footer>
          Signatures, attestations and SBOMs were found by their types; none was verified. Manifests and
          configs were compared with their digests. Layers were not read:
          <code>mirror verify --source ${title}</code> reads everything and compares every digest.
        </footer>
      </body>
    </html> `
  return page.text
}

function capitalized(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}

/** Nothing may be loaded, run or sent. The style is allowed by its hash, so that no other is. */
function policy(): string {
  const style = createHash('sha256').update(STYLE).digest('base64')
  return `default-src 'none'; style-src 'sha256-${style}'; img-src data:; base-uri 'none'; form-action 'none'`
}
