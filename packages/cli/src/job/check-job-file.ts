import {canonicalRegistry} from '@airgap-mirror/oci-client/model'
import type {Path, Problems} from './problems.js'

/** Notes problems that a schema cannot express. The value may be anything, because the schema is checked separately. */
export function checkJobFile(value: unknown, problems: Problems): void {
  if (!isRecord(value)) return
  const {registries, jobs} = value
  const hosts = isRecord(registries) ? Object.entries(registries) : []
  const seen = new Set<string>()
  for (const [host, settings] of hosts) {
    const path = ['registries', host]
    if (seen.has(canonicalRegistry(host))) problems.add(path, 'this registry is there already')
    seen.add(canonicalRegistry(host))
    if (isRecord(settings)) checkCredential(settings, path, problems)
  }
  if (!Array.isArray(jobs)) return
  const names = new Set<unknown>()
  for (const [index, job] of (jobs as readonly unknown[]).entries()) {
    if (!isRecord(job)) continue
    const path = ['jobs', index]
    if (names.has(job['name'])) problems.add([...path, 'name'], 'another job has this name')
    names.add(job['name'])
    if (IMAGES.every((key) => isNothing(job[key])))
      problems.add(path, 'has no images: give it images, references or repositories')
  }
}

const IMAGES = ['images', 'references', 'repositories'] as const

/** Ways to a credential, each by the key that begins it. */
const CREDENTIALS = ['username', 'docker-config', 'credential-helper', 'service-account-key'] as const

function checkCredential(settings: Readonly<Record<string, unknown>>, path: Path, problems: Problems): void {
  const has = (key: string): boolean => settings[key] !== undefined
  const given = CREDENTIALS.filter(has)
  const [first, second] = given
  if (second !== undefined) problems.add([...path, second], `cannot go with ${first}: give one of them`)
  if (first !== undefined && settings['need-credential'] === false)
    problems.add([...path, 'need-credential'], `false rules out ${first}`)
  if (has('password') && has('password-file'))
    problems.add([...path, 'password-file'], 'cannot go with password: give one of them')
  const secret = has('password') || has('password-file')
  if (has('username') && !secret) problems.add([...path, 'username'], 'needs password or password-file')
  if (!has('username') && secret) problems.add([...path, 'username'], 'is missing: the password needs it')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNothing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
}
