import {count, formatBytes} from '../../text/format-quantity.js'
import type {Inspection} from './inspection.js'
import {html, type Markup} from './markup.js'

/** Returns the figures that a reader asks for first. */
export function figures({bundle, totals, images, diff}: Inspection): Markup {
  const {bytes, plainBytes} = bundle
  const {referrers, platforms, damaged} = totals
  const whole = images.length - damaged
  return html`<dl class="figures">
    ${figure('Images', String(images.length), damaged === 0 ? undefined : `${whole} whole, ${damaged} damaged`)}
    ${figure('Platforms', String(platforms.length), platforms.join(', '))}
    ${figure('Size', formatBytes(bytes ?? plainBytes), bytes === plainBytes ? undefined : `${formatBytes(plainBytes)} unpacked`)}
    ${figure('Signed', `${totals.signed} of ${images.length}`, count(referrers.signature, 'signature'))}
    ${figure('Attestations', String(referrers.attestation))} ${figure('SBOMs', String(referrers.sbom))}
    ${diff === undefined ? undefined : figure('To carry', formatBytes(diff.bytes.toCarry), diff.exact ? undefined : 'at most')}
  </dl>`
}

function figure(name: string, value: string, remark = ''): Markup {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}${remark === '' ? undefined : html`<small>${remark}</small>`}</dd>
  </div>`
}
