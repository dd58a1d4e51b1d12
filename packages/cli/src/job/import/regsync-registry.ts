import type {Path, Problems} from '../problems.js'
import type {RawRegistry} from '../raw-job.js'
import {said, variableFor, type Remark} from './draft.js'
import {textAt, type Values} from './read-values.js'
import {templateFile, translateTemplate} from './translate-template.js'

/** One of regsync's `creds`. */
export function regsyncRegistry(
  entry: Values,
  {
    host,
    path,
    problems,
    remarks,
  }: {
    readonly host: string
    readonly path: Path
    readonly problems: Problems
    readonly remarks: Remark[]
  },
): RawRegistry {
  const text = (key: string): string | undefined => textAt(entry[key], [...path, key], problems)
  const at = (key: string): Path => ['registries', host, key]
  const remark = (key: string, words: string): void => void remarks.push({path: at(key), text: words})
  const tls = text('tls')
  const user = text('user')
  const pass = text('pass')
  const helper = text('credHelper')
  const concurrent = Number(text('reqConcurrent') ?? 0)
  const file = pass === undefined ? undefined : templateFile(pass)
  const isTemplate = pass?.includes('{{') === true
  const username =
    user === undefined ? undefined : (translateTemplate(user) ?? `\${${variableFor(host, 'USERNAME')}}`)
  const variable = `\${${variableFor(host, 'PASSWORD')}}`
  const password = isTemplate ? (translateTemplate(pass ?? '') ?? variable) : variable
  if (user !== undefined && helper === undefined && file === undefined && password === variable)
    remark('password', `The password is not copied: set ${variableFor(host, 'PASSWORD')} in the environment.`)
  if (user !== undefined && translateTemplate(user) === undefined)
    remark(
      'username',
      `Its template has no counterpart: set ${variableFor(host, 'USERNAME')} in the environment.`,
    )
  for (const [key, flag] of CERTIFICATES) {
    if (text(key) !== undefined)
      remarks.push({
        path: ['registries', host],
        text: `${key} is written in the file there: put it into a file and name that by ${flag}.`,
      })
  }
  for (const key of Object.keys(entry).filter((one) => !KNOWN.has(one)))
    remarks.push({
      path: ['registries', host],
      text: `${key} of ${host} has no counterpart${HINTS[key] ?? ''}.`,
    })
  const hasUser = user !== undefined && helper === undefined
  return said({
    username: hasUser ? username : undefined,
    password: hasUser && file === undefined ? password : undefined,
    'password-file': hasUser ? file : undefined,
    'credential-helper': helper?.replace(/^docker-credential-/, ''),
    'plain-http': tls === 'disabled' ? true : undefined,
    'insecure-skip-tls-verify': tls === 'insecure' ? true : undefined,
    concurrency: Number.isInteger(concurrent) && concurrent > 0 ? Math.min(concurrent, 256) : undefined,
  })
}

const CERTIFICATES = [
  ['regcert', 'cacert'],
  ['clientCert', 'client-cert'],
  ['clientKey', 'client-key'],
] as const

const HINTS: Readonly<Record<string, string>> = {
  hostname: ': a registries.conf can say where a registry really is',
  mirrors: ': a registries.conf can name mirrors',
  pathPrefix: ': a registries.conf can name it as a location',
  reqPerSec: ': rate limits that a registry states are obeyed',
}

/** With a counterpart, or without need of one: tokens are asked for by repository, and chunks are found out. */
const KNOWN: ReadonlySet<string> = new Set([
  'registry',
  'tls',
  'user',
  'pass',
  'credHelper',
  'reqConcurrent',
  'repoAuth',
  'blobChunk',
  'blobMax',
  'credExpire',
  ...CERTIFICATES.map(([key]) => key),
])
