import {formatBytes} from '../../text/format-quantity.js'
import type {InspectedContent, InspectedImage, InspectedReferrer, Inspection} from './inspection.js'
import {kindName} from './words.js'
import {html, type Markup} from './markup.js'

/** Returns every manifest, config, layer and referrer of each image, with its whole digest. */
export function contentsSection({images, orphans}: Inspection): Markup | undefined {
  if (images.length === 0 && orphans.length === 0) return undefined
  return html`${images.map(imageContents)}${
    orphans.length === 0
      ? undefined
      : html`<h3>About images that are not here</h3>
          ${contentsTable(orphans.map(referrerRow))}`
  }`
}

function imageContents(image: InspectedImage, index: number): Markup {
  const {name, kind, digest, id, contents, referrers, platforms, digestChanges, error} = image
  const absent = platforms.filter(({present}) => !present)
  return html`<h3 id="image-${index + 1}">${name}</h3>
    <p class="soft small">
      ${kind}${digest === undefined && id !== undefined ? html`, image ID <code>${id}</code>` : undefined}${
        digestChanges === undefined ? undefined : html`. Another digest at a registry: ${digestChanges}`
      }
    </p>
    ${error === undefined ? undefined : html`<p class="bad small">${error.message}</p>`}
    ${contentsTable([
      ...contents.map(contentRow),
      ...absent.map(({platform, digest: of}) =>
        tableRow({
          what: 'manifest',
          about: platform,
          digest: of ?? '',
          size: '',
          remark: 'not in the bundle',
          isBad: false,
        }),
      ),
      ...referrers.map(referrerRow),
    ])} `
}

function contentsTable(rows: readonly Markup[]): Markup | undefined {
  if (rows.length === 0) return undefined
  return html`<table class="contents">
    <thead>
      <tr>
        <th class="what">Content</th>
        <th class="digest">Digest</th>
        <th class="number">Size</th>
        <th>About</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

const STATES: Readonly<Record<InspectedContent['state'], string>> = {
  here: '',
  'left-out': 'left out of this delta bundle',
  missing: 'missing',
  foreign: 'foreign, not in the bundle',
}

function contentRow({role, digest, bytes, state, images, platform}: InspectedContent): Markup {
  const remark = [STATES[state], images > 1 ? `in ${images} images` : '']
    .filter((text) => text !== '')
    .join(', ')
  return tableRow({
    what: role,
    about: platform ?? '',
    digest,
    size: formatBytes(bytes),
    remark,
    isBad: state === 'missing',
  })
}

function referrerRow({kind, type, digest, bytes}: InspectedReferrer): Markup {
  return tableRow({
    what: kindName(kind),
    about: type,
    digest,
    size: formatBytes(bytes),
    remark: '',
    isBad: false,
  })
}

interface Row {
  readonly what: string
  readonly about: string
  readonly digest: string
  readonly size: string
  readonly remark: string
  readonly isBad: boolean
}

function tableRow({what, about, digest, size, remark, isBad}: Row): Markup {
  return html`<tr>
    <td class="what" data-label="Content">${what}</td>
    <td class="digest" data-label="Digest"><code>${digest}</code></td>
    <td class="number" data-label="Size">${size}</td>
    <td data-label="About">
      <div>
        ${about}${
          remark === '' ? undefined : html`<div class="${isBad ? 'bad' : 'soft'} small">${remark}</div>`
        }
      </div>
    </td>
  </tr> `
}
