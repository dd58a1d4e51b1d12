import {formatBytes} from '../../text/format-quantity.js'
import {changeWords, STATUS_WORDS} from './difference-text.js'
import type {Difference, ImageChange} from './change.js'
import {html, type Markup} from './markup.js'

/** Returns the changes, image by image. */
export function changesSection(difference: Difference): Markup {
  const {old, bytes, exact, images} = difference
  return html`<p>
      Compared with <code>${old}</code>: ${changeWords(difference)}.
      ${exact ? '' : 'At most '}${formatBytes(bytes.toCarry)} of ${formatBytes(bytes.toCarry + bytes.present)}
      ${exact ? 'is' : 'are'} new.
    </p>
    <table>
      <thead>
        <tr>
          <th>Image</th>
          <th>Change</th>
          <th class="number">New</th>
          <th class="digest">Digest</th>
        </tr>
      </thead>
      <tbody>
        ${images.map(row)}
      </tbody>
    </table>`
}

function row({name, status, oldDigest, newDigest, bytesToCarry}: ImageChange): Markup {
  const isSame = status === 'same'
  return html`<tr>
    <td class="name">${name}</td>
    <td class="tight${isSame ? ' soft' : ''}" data-label="Change">${STATUS_WORDS[status]}</td>
    <td class="number" data-label="New">${status === 'removed' ? '–' : formatBytes(bytesToCarry)}</td>
    <td class="digest" data-label="Digest"><div>${digests({status, oldDigest, newDigest})}</div></td>
  </tr> `
}

function digests({
  status,
  oldDigest,
  newDigest,
}: Pick<ImageChange, 'status'> & {
  readonly oldDigest: string | undefined
  readonly newDigest: string | undefined
}): Markup {
  const now = newDigest ?? oldDigest ?? ''
  if (status !== 'changed') return html`<code>${now}</code>`
  return html`<code>${now}</code>
    <div class="soft small">before: <code>${oldDigest}</code></div>`
}
