import {count, formatBytes} from '../../text/format-quantity.js'
import type {Inspection} from './inspection.js'
import {contentWords, formatName, producerName, storageWords} from './words.js'
import {html, type Markup} from './markup.js'

/** Returns the form of the bundle: its place, parts, outermost entries, and what belongs to no image. */
export function bundleSection(inspection: Inspection): Markup {
  const {source, bundle, totals, unused} = inspection
  const {compression, volumes, leftOut, parts, entries} = bundle
  const files = entries.first.filter(({kind}) => kind !== 'directory')
  return html`<dl class="facts">
      ${fact('Path', html`<code>${source}</code>`)} ${fact('Format', formatName(bundle.format))}
      ${fact('Written by', producerName(bundle.producer) ?? 'not known: several tools leave these traces')}
      ${fact('Stored', storageWords(bundle))}
      ${compression.largestBlock === undefined ? undefined : fact('Largest block', formatBytes(compression.largestBlock))}
      ${fact('Content', contentWords(inspection))}
      ${leftOut.blobs === 0 ? undefined : fact('Left out', `${count(leftOut.blobs, 'blob')}, ${formatBytes(leftOut.bytes)}: this is a delta bundle, and the registry must have them`)}
      ${fact('Decoded', `${formatBytes(totals.decodedBytes)} to learn all this`)}
    </dl>
    ${table(
      'Volumes',
      ['Name'],
      volumes.map(({name, bytes}) => [[name], bytes]),
    )}
    ${
      parts.length < 2
        ? undefined
        : table(
            'Parts',
            ['Path', 'Format', 'Written by'],
            parts.map(({path, format, producer}) => [
              [path, formatName(format), producerName(producer) ?? ''],
              undefined,
            ]),
          )
    }
    ${
      bundle.format === 'nested' || parts.length === 0
        ? table(
            `Outermost entries (${entries.count})`,
            ['Path', 'Kind'],
            files.map(({path, kind, bytes}) => [[path, kind], bytes]),
          )
        : undefined
    }
    ${table(
      'Not used',
      ['Path', 'Why'],
      unused.map(({path, bytes, reason}) => [[path === '' ? 'the bundle' : path, reason], bytes]),
    )}`
}

function fact(name: string, value: string | Markup): Markup {
  return html`<dt>${name}</dt>
    <dd>${value}</dd> `
}

type Row = readonly [cells: readonly string[], bytes: number | undefined]

function table(title: string, heads: readonly string[], rows: readonly Row[]): Markup | undefined {
  if (rows.length === 0) return undefined
  const hasSizes = rows.some(([, bytes]) => bytes !== undefined)
  return html`<h3>${title}</h3>
    <table>
      <thead>
        <tr>
          ${heads.map((head) => html`<th>${head}</th>`)}${hasSizes ? html`<th class="number">Size</th>` : undefined}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([cells, bytes]) =>
            html`<tr>
              ${cells.map((cell, index) => html`<td data-label="${heads[index] ?? ''}"><div>${cell}</div></td>`)}${
                bytes === undefined
                  ? undefined
                  : html`<td class="number" data-label="Size">${formatBytes(bytes)}</td>`
              }
            </tr> `,
        )}
      </tbody>
    </table>`
}
