import {filled} from '../../help/lines.js'

/** The result of one check. */
export interface Finding {
  /** The thing that was looked at, in one or two words. */
  readonly check: string
  /** `problem`: a push cannot work so. `note`: it works, with less than there could be. */
  readonly status: 'ok' | 'note' | 'problem' | 'skipped'
  readonly text: string
  /** An imperative sentence: the thing to change. */
  readonly hint?: string
}

/** The findings in lines of 80 columns: a mark, the check, the text, and below it the hint. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({check}) => check.length))
  return findings
    .map(({check, status, text, hint}) => {
      const head = `${MARKS[status]} ${check.padEnd(width)}  `
      const indent = ' '.repeat(head.length)
      const lines = [text, ...(hint === undefined ? [] : [`hint: ${hint}`])].flatMap((paragraph) =>
        filled(paragraph, indent),
      )
      return `${head}${lines.join('\n').slice(head.length)}\n`
    })
    .join('')
}

const MARKS = {ok: 'ok     ', note: 'note   ', problem: 'problem', skipped: 'skipped'} as const
