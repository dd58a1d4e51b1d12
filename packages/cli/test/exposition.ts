interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Exposition {
  readonly samples: readonly Sample[]
  readonly help: ReadonlyMap<string, string>
  readonly types: ReadonlyMap<string, string>
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/.source
const PAIR = /[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"/.source
const SAMPLE = new RegExp(`^(?<name>${NAME})\\{(?<labels>${PAIR}(?:,${PAIR})*)\\} (?<value>[0-9.e+-]+)$`)

/**
 * Reads Prometheus's text exposition format, and only what is right in it: HELP, TYPE and then the samples of a metric, all
 * together, no series twice, a line break at the end.
 * @throws {Error} for anything else
 */
export function parseExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('no line break at the end')
  const [help, types] = [new Map<string, string>(), new Map<string, string>()]
  const samples: Sample[] = []
  const series = new Set<string>()
  let current = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (kind === 'HELP') {
      if (help.has(name)) throw new Error(`a second HELP: ${line}`)
      help.set(name, rest)
      current = name
    } else if (kind === 'TYPE') {
      if (types.has(name) || name !== current) throw new Error(`TYPE out of place: ${line}`)
      types.set(name, rest)
    } else {
      const groups = SAMPLE.exec(line)?.groups
      if (groups === undefined) throw new Error(`no sample: ${line}`)
      const {name: metric = '', labels = '', value} = groups
      if (metric !== current || !types.has(metric)) throw new Error(`a sample out of place: ${line}`)
      if (series.has(`${metric}${labels}`)) throw new Error(`a series twice: ${line}`)
      series.add(`${metric}${labels}`)
      if (!Number.isFinite(Number(value))) throw new Error(`no number: ${line}`)
      samples.push({name: metric, labels: labelsIn(labels), value: Number(value)})
    }
  }
  return {samples, help, types}
}

function labelsIn(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    if (Object.hasOwn(labels, name)) throw new Error(`a label twice: ${name}`)
    labels[name] = value.replaceAll(/\\(.)/g, (_all, character: string) =>
      character === 'n' ? '\n' : character,
    )
  }
  return labels
}
