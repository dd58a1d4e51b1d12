import xterm from '@xterm/headless'

/** The size of the terminal that a picture shows. */
export const COLUMNS = 100
export const ROWS = 24

const CELL = {width: 8.4, height: 19} as const
const MARGIN = 16

/** Returns an SVG of the screen after a command, as a terminal shows its output. The program uses no colours. */
export async function pictureOf(command: string, output: string): Promise<string> {
  const lines = await screenAfter(`$ ${command}\r\n${output}`)
  const width = Math.round(COLUMNS * CELL.width + 2 * MARGIN)
  const height = lines.length * CELL.height + 2 * MARGIN
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" fill="#e6edf3" style="white-space: pre">`,
    ...lines.map(
      (line, row) => `<text x="${MARGIN}" y="${MARGIN + 14 + row * CELL.height}">${escaped(line)}</text>`,
    ),
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

/** Returns the lines that are left on the screen, without empty ones at the end. */
async function screenAfter(output: string): Promise<readonly string[]> {
  const terminal = new xterm.Terminal({cols: COLUMNS, rows: 4 * ROWS, allowProposedApi: true})
  await new Promise<void>((done) => terminal.write(output, done))
  const lines = Array.from(
    {length: terminal.rows},
    (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '',
  )
  terminal.dispose()
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
