import {literal} from './draft.js'

/** Values of `{{ .Sync.Source }}` and its like. */
export type TemplateValues = Readonly<Record<string, string | undefined>>

/**
 * Text with regclient's Go templates as a job file has it: `{{env "NAME"}}` becomes a variable.
 * @param values what stands for `.Sync.…`, as a job file has it
 * @returns undefined if a template does more than that
 */
export function translateTemplate(text: string, values: TemplateValues = {}): string | undefined {
  const parts = text.split(/(\{\{[^}]*\}\})/)
  const translated = parts.map((part) => {
    if (!part.startsWith('{{')) return literal(part)
    const inner = part.replace(/^\{\{-?\s*/, '').replace(/\s*-?\}\}$/, '')
    const [, name] = /^env\s+["`]([A-Za-z_]\w*)["`]$/.exec(inner) ?? []
    return name === undefined ? values[inner] : `\${${name}}`
  })
  return translated.some((part) => part === undefined || part.includes('{{'))
    ? undefined
    : translated.join('')
}

/** The file of `{{file "PATH"}}`, if a text is nothing else. */
export function templateFile(text: string): string | undefined {
  return /^\{\{-?\s*file\s+["`]([^"`]+)["`]\s*-?\}\}$/.exec(text.trim())?.[1]
}
