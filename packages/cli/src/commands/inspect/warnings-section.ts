import type {Inspection, InspectionWarning} from './inspection.js'
import {html, type Markup} from './markup.js'

const BAD: ReadonlySet<string> = new Set(['UNREADABLE', 'CONTENT_MISSING', 'READING'])

/** Returns the warnings with all the names that they are about; undefined if there are none. */
export function warningsSection({warnings, images, error}: Inspection): Markup | undefined {
  if (warnings.length === 0 && error === undefined) return undefined
  return html`<ul class="notes">
    ${error === undefined ? undefined : html`<li class="bad">${sentence(error.message)}</li>`}
    ${warnings.map((warning) => item(warning, images.length))}
  </ul>`
}

function item({code, message, images = []}: InspectionWarning, all: number): Markup {
  const names = images.length === all ? '' : images.join(', ')
  return html`<li class="${BAD.has(code) ? 'bad' : ''}">
    ${sentence(message)}${names === '' ? undefined : html`<div class="names">${names}</div>`}
  </li> `
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}
