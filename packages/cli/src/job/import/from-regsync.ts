import {parseReference} from '@airgap-mirror/oci-client/model'
import {parsePlatform} from '../../names/platforms.js'
import type {Path, Problems} from '../problems.js'
import type {RawJob, RawRegistry, RawRepository} from '../raw-job.js'
import {said, type Draft, type Remark} from './draft.js'
import {booleanAt, listAt, recordAt, recordsAt, textAt, type Values} from './read-values.js'
import {regsyncRegistry} from './regsync-registry.js'
import {regsyncTags} from './regsync-tags.js'
import {translateTemplate} from './translate-template.js'

type Mutable<Type> = {-readonly [Key in keyof Type]: Type[Key]}
type OpenJob = Mutable<RawJob> & {references: string[]; repositories: RawRepository[]}

/** The file of regsync, its scalars as text. Problems are noted and passed over. */
export function fromRegsync(value: unknown, problems: Problems): Draft {
  const root = recordAt(value, [], problems)
  const remarks: Remark[] = []
  const registries: Record<string, RawRegistry> = {}
  if (root['version'] !== undefined && root['version'] !== '1') problems.add(['version'], 'is not 1')
  for (const {values, path} of recordsAt(root['creds'], ['creds'], problems)) {
    const host = translateTemplate(textAt(values['registry'], [...path, 'registry'], problems) ?? '') ?? ''
    if (host === '' || host.includes('$')) {
      remarks.push({
        path: ['jobs'],
        text: `creds[${String(path[1])}] names no registry that can be written here.`,
      })
      continue
    }
    const settings = regsyncRegistry(values, {host, path, problems, remarks})
    if (Object.keys(settings).length > 0) registries[host] = settings
  }
  const defaults = recordAt(root['defaults'], ['defaults'], problems)
  const jobs = new Map<string, OpenJob>()
  const lost = new Map<string, string[]>()
  const lose = (values: Values, known: ReadonlySet<string>, where: string): void => {
    for (const key of Object.keys(values).filter((one) => !known.has(one)))
      lost.set(key, [...(lost.get(key) ?? []), where])
  }
  lose(defaults, DEFAULTS, 'defaults')
  for (const {values, path} of recordsAt(root['sync'], ['sync'], problems)) {
    lose(values, SYNC, `sync[${String(path[1])}]`)
    const why = addEntry({...pick(defaults), ...values}, {path, problems, jobs})
    if ([values['platform'], values['platforms']].flat().includes(LOCAL)) {
      remarks.push({
        path: ['jobs'],
        text: `sync[${String(path[1])}]: the platform local has no counterpart; all are copied unless platforms says otherwise.`,
      })
    }
    if (why !== undefined)
      remarks.push({path: ['jobs'], text: `sync[${String(path[1])}] is left out: ${why}.`})
  }
  for (const [key, places] of lost) remarks.push({path: ['jobs'], text: lostText(key, places)})
  return {
    file: {...said({registries}), jobs: [...jobs.values()].map((job) => said(job) as RawJob)},
    remarks,
  }
}

/** Adds an entry to the job with the same target and options. @returns why it cannot be added */
function addEntry(
  entry: Values,
  {
    path,
    problems,
    jobs,
  }: {readonly path: Path; readonly problems: Problems; readonly jobs: Map<string, OpenJob>},
): string | undefined {
  const text = (key: string): string => textAt(entry[key], [...path, key], problems) ?? ''
  const [type, written] = [text('type'), text('source')]
  const source = translateTemplate(written)
  const target = translateTemplate(text('target'), {
    '.Sync.Source': source,
    '.Sync.Type': type,
  })
  if (source === undefined || target === undefined) return 'its template has no counterpart'
  if (source === '' || target === '') return 'it has no source or no target'
  if ([source, target].some((one) => one.startsWith('ocidir:')))
    return 'an OCI layout is no registry: use mirror copy or mirror push'
  if (type !== 'image' && type !== 'repository')
    return `a whole ${type || 'entry without a type'} cannot be listed: name its repositories`
  for (const [key, one] of [
    ['source', source],
    ['target', target],
  ] as const)
    if (!one.includes('$')) problems.attempt([...path, key], () => parseReference(one))
  const from = splitHost(source)
  const to = splitHost(target)
  const job = jobFor(to.host, {options: optionsOf(entry, path, problems), jobs})
  if (type === 'image') {
    const moved = `${to.path}${hasTag(to.path) || !hasTag(from.path) ? '' : ':latest'}`
    job.references.push(moved === from.path ? source : `${source} ${moved}`)
    return undefined
  }
  const chosen = regsyncTags(entry, path, problems)
  const [only] = chosen ?? []
  const tags = chosen?.length === 1 ? only : chosen
  const moved = to.path === from.path ? undefined : to.path
  job.repositories.push(
    tags === undefined && moved === undefined ? source : {repository: source, ...said({tags, target: moved})},
  )
  return undefined
}

/** The platform of the machine that regsync runs on. */
const LOCAL = 'local'

function optionsOf(entry: Values, path: Path, problems: Problems): Partial<RawJob> {
  const single = textAt(entry['platform'], [...path, 'platform'], problems)
  const several = listAt(entry['platforms'], [...path, 'platforms'], problems)
  const platforms = (single === undefined ? several : [single]).filter((platform) => platform !== LOCAL)
  for (const platform of platforms) problems.attempt([...path, 'platform'], () => parsePlatform(platform))
  const isOn = (key: string): boolean => booleanAt(entry[key], [...path, key], problems) === true
  return said({
    platforms,
    // with one platform regsync copies its image in place of the index
    'sparse-index': single === undefined || single === LOCAL ? undefined : ('platform' as const),
    referrers: isOn('referrers') || isOn('digestTags') ? undefined : false,
  })
}

function jobFor(
  host: string,
  {options, jobs}: {readonly options: Partial<RawJob>; readonly jobs: Map<string, OpenJob>},
): OpenJob {
  const key = JSON.stringify([host, options])
  const known = jobs.get(key)
  if (known !== undefined) return known
  const name = jobs.size === 0 ? 'regsync' : `regsync-${jobs.size + 1}`
  const job: OpenJob = {name, targets: host, ...options, references: [], repositories: []}
  jobs.set(key, job)
  return job
}

/** Host and path of a name, in which variables may stand for any part: one at the very beginning is a host. */
function splitHost(text: string): {readonly host: string; readonly path: string} {
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const isHost = first === 'localhost' || /[.:]/.test(first) || first.startsWith('${')
  const host = isHost ? first : 'docker.io'
  const path = isHost ? text.slice(slash + 1) : text
  return {host, path: host === 'docker.io' && !path.includes('/') ? `library/${path}` : path}
}

function hasTag(path: string): boolean {
  return /[:@][^/]*$/.test(path)
}

function pick(defaults: Values): Values {
  return Object.fromEntries(Object.entries(defaults).filter(([key]) => DEFAULTS.has(key)))
}

const DEFAULTS: ReadonlySet<string> = new Set(['referrers', 'digestTags'])

const SYNC: ReadonlySet<string> = new Set([
  ...DEFAULTS,
  'source',
  'target',
  'type',
  'tags',
  'tagSets',
  'repos',
  'platform',
  'platforms',
])

function lostText(key: string, places: readonly string[]): string {
  const where =
    places.length > 3 ? `${places.slice(0, 3).join(', ')} and ${places.length - 3} more` : places.join(', ')
  return `${key} (${where}) has no counterpart${HINTS[key] ?? ''}.`
}

const SCHEDULE = ': run mirror sync from cron or a systemd timer'
const HINTS: Readonly<Record<string, string>> = {
  interval: SCHEDULE,
  schedule: SCHEDULE,
  parallel: ': --concurrency is in blobs',
  ratelimit: ': rate limits that a registry states are obeyed',
  fastCheck: ': an unchanged tag costs one request anyway',
}
