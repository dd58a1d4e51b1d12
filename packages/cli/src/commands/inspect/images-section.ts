import {formatBytes} from '../../text/format-quantity.js'
import type {InspectedImage, ReferrerKind} from './inspection.js'
import {html, type Markup} from './markup.js'

/** Returns a row for each image, which leads to its digests. */
export function imagesSection(images: readonly InspectedImage[]): Markup {
  if (images.length === 0) return html`<p>It holds no image that can be read.</p>`
  const hasPlain = images.some(({bytes}) => bytes.plain > 0)
  return html`<table>
      <thead>
        <tr>
          <th>Image</th>
          <th>Platforms</th>
          <th class="number">Size</th>
          <th class="number">Own</th>
          <th class="number">Shared</th>
          ${hasPlain ? html`<th class="number">Plain</th>` : undefined}
          <th>Signatures</th>
          <th>Attestations</th>
          <th>SBOMs</th>
        </tr>
      </thead>
      <tbody>
        ${images.map((image, index) => row(image, {index, hasPlain}))}
      </tbody>
    </table>
    <p class="lead small">
      Own is content that no other image of the bundle has, shared is content that others have
      too.${hasPlain ? ' Plain is the part in layers that the bundle holds uncompressed.' : ''}
    </p>`
}

function row(
  image: InspectedImage,
  {index, hasPlain}: {readonly index: number; readonly hasPlain: boolean},
): Markup {
  const {name, bytes} = image
  return html`<tr>
    <td class="name"><a href="#image-${index + 1}">${name}</a>${stateOf(image)}</td>
    <td data-label="Platforms">${platformsOf(image)}</td>
    ${[
      size('Size', bytes.total),
      size('Own', bytes.own),
      size('Shared', bytes.shared),
      ...(hasPlain ? [size('Plain', bytes.plain)] : []),
    ]}${[count(image, 'signature', 'Signatures'), count(image, 'attestation', 'Attestations'), count(image, 'sbom', 'SBOMs')]}
  </tr> `
}

function size(label: string, bytes: number): Markup {
  return html`<td class="number" data-label="${label}">${formatBytes(bytes)}</td>`
}

function count({referrers}: InspectedImage, kind: ReferrerKind, label: string): Markup {
  const number = referrers.filter((referrer) => referrer.kind === kind).length
  return number === 0
    ? html`<td class="soft" data-label="${label}">none</td>`
    : html`<td data-label="${label}">${number}</td>`
}

function stateOf({status, kind, named}: InspectedImage): Markup | undefined {
  const words = [
    ...(kind === 'chart' ? ['Helm chart'] : kind === 'artifact' ? ['artifact'] : []),
    ...(named ? [] : ['no name']),
  ].join(', ')
  if (status !== 'ok') return html`<div class="bad small">${status}</div>`
  return words === '' ? undefined : html`<div class="soft small">${words}</div>`
}

function platformsOf({platforms}: InspectedImage): Markup {
  const present = platforms.filter((platform) => platform.present).map(({platform}) => platform)
  const absent = platforms.length - present.length
  return html`<div>
    ${present.join(', ')}${
      absent === 0 ? undefined : html`<div class="note small">${absent} of ${platforms.length} not here</div>`
    }
  </div>`
}
