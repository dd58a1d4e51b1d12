import {isDigest, isTag, parseReference} from '@airgap-mirror/oci-client/model'
import type {Path, Problems} from '../problems.js'
import type {RawRegistry, RawRepository, RawTagFilter} from '../raw-job.js'
import {checkExpression} from '../tag-patterns.js'
import {checkRange} from '../tag-version.js'
import {literal, said, variableFor, type Draft, type Remark} from './draft.js'
import {booleanAt, listAt, recordAt, textAt, type Values} from './read-values.js'
import {translateRange} from './translate-range.js'

/** The file of `skopeo sync --src yaml` (skopeo-sync.1), its scalars as text. Problems are noted and passed over. */
export function fromSkopeo(value: unknown, problems: Problems): Draft {
  const remarks: Remark[] = [...GENERAL]
  const registries: Record<string, RawRegistry> = {}
  const repositories: RawRepository[] = []
  for (const [host, raw] of Object.entries(recordAt(value, [], problems))) {
    const config = recordAt(raw, [host], problems)
    const settings = readSettings(config, {host, problems, remarks})
    const [registry = host] = host.split('/')
    if (Object.keys(settings).length > 0) registries[registry] = settings
    for (const [found, text] of readRepositories(config, host, problems)) {
      if (text !== undefined) remarks.push({path: ['jobs', 0, 'repositories', repositories.length], text})
      repositories.push(found)
    }
  }
  return {file: {...said({registries}), jobs: [{name: 'skopeo', repositories}]}, remarks}
}

const GENERAL: readonly Remark[] = [
  {
    path: ['jobs'],
    text: 'Where to: give targets: HOST[:PORT][/NAMESPACE] here, or --private-registry. skopeo sync keeps the last part of a path alone unless it is run with --scoped; here the whole path is kept. To have it as there: rewrite: ^.*/=',
  },
  {
    path: ['jobs'],
    text: "skopeo sync without --all copies this machine's platform alone; here all are copied unless platforms says otherwise.",
  },
]

function readSettings(
  config: Values,
  {host, problems, remarks}: {readonly host: string; readonly problems: Problems; readonly remarks: Remark[]},
): RawRegistry {
  const credentials = recordAt(config['credentials'] ?? {}, [host, 'credentials'], problems)
  const username = textAt(credentials['username'], [host, 'credentials', 'username'], problems)
  const verify = booleanAt(config['tls-verify'], [host, 'tls-verify'], problems)
  const certificates = textAt(config['cert-dir'], [host, 'cert-dir'], problems)
  const path = ['registries', host.split('/')[0] ?? host]
  if (username !== undefined) {
    const name = variableFor(host, 'PASSWORD')
    remarks.push({
      path: [...path, 'password'],
      text: `The password is not copied: set ${name} in the environment.`,
    })
  }
  if (verify === false) {
    remarks.push({
      path: [...path, 'insecure-skip-tls-verify'],
      text: 'skopeo also falls back to plain HTTP; here that is never guessed: if the registry speaks it, say plain-http: true instead.',
    })
  }
  if (certificates !== undefined) {
    remarks.push({
      path: [...path, 'cacert'],
      text: `cert-dir is a directory there: of ${certificates}, *.crt is a cacert, *.cert a client-cert and *.key a client-key. Check the names.`,
    })
  }
  for (const key of Object.keys(config).filter((one) => !KEYS.has(one)))
    remarks.push({path: ['jobs'], text: `${host}: ${key} has no counterpart.`})
  return said({
    username: username === undefined ? undefined : literal(username),
    password: username === undefined ? undefined : `\${${variableFor(host, 'PASSWORD')}}`,
    'insecure-skip-tls-verify': verify === false ? true : undefined,
    cacert: certificates === undefined ? undefined : literal(`${certificates.replace(/\/+$/, '')}/ca.crt`),
  })
}

const KEYS: ReadonlySet<string> = new Set([
  'images',
  'images-by-tag-regex',
  'images-by-semver',
  'credentials',
  'tls-verify',
  'cert-dir',
])

/** Each with a remark, where something could not be said. */
function readRepositories(
  config: Values,
  host: string,
  problems: Problems,
): readonly (readonly [RawRepository, string | undefined])[] {
  const section = (key: string): readonly (readonly [string, unknown, Path])[] =>
    Object.entries(recordAt(config[key] ?? {}, [host, key], problems)).map(([name, raw]) => [
      name,
      raw,
      [host, key, name],
    ])
  const named = (name: string, path: Path): string => {
    problems.attempt(path, () => parseReference(`${host}/${name}`))
    return `${host}/${name}`
  }
  const filtered = (name: string, path: Path, tags: RawTagFilter): RawRepository => ({
    repository: named(name, path),
    tags,
  })
  const images = section('images').map(([name, raw, path]): readonly [RawRepository, undefined] => {
    const versions = listAt(raw, path, problems)
    const digests = versions.filter(isDigest)
    const tags = versions.filter((version) => !isDigest(version))
    for (const [index, tag] of versions.entries()) {
      if (!isDigest(tag) && !isTag(tag)) problems.add([...path, index], 'is neither a tag nor a digest')
    }
    const repository = named(name, path)
    return [versions.length === 0 ? repository : {repository, ...said({tags, digests})}, undefined]
  })
  const expressions = section('images-by-tag-regex').map(
    ([name, raw, path]): readonly [RawRepository, undefined] => {
      const regex = textAt(raw, path, problems) ?? ''
      problems.attempt(path, () => checkExpression(regex))
      return [filtered(name, path, {regex: literal(regex)}), undefined]
    },
  )
  const ranges = section('images-by-semver').map(
    ([name, raw, path]): readonly [RawRepository, string | undefined] => {
      const range = textAt(raw, path, problems) ?? ''
      const filter = translateRange(range)
      if (filter?.semver === undefined)
        return [filtered(name, path, {semver: '*'}), `The range ${range} has no counterpart: choose another.`]
      problems.attempt(path, () => checkRange(filter.semver ?? ''))
      return [filtered(name, path, filter), undefined]
    },
  )
  return [...images, ...expressions, ...ranges]
}
