import {printable} from '../../text/printable.js'

/** Markup that is safe to put into a page. Made by `html` alone. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A value in a template: text is escaped, markup and lists of it stay as they are. */
export type Part = string | number | Markup | readonly Markup[] | undefined

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Makes markup of a template. Texts are escaped for content and for quoted attributes, so that a bundle cannot add any. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(texts.reduce((made, text, index) => made + rendered(parts[index - 1]) + text))
}

function rendered(part: Part): string {
  if (part === undefined) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'object') return part.map(({text}) => text).join('')
  return printable(String(part)).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
