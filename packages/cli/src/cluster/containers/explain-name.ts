import {messageOf} from '@airgap-mirror/oci-client/model'
import type {Outcome, Try} from '../explanation.js'
import {isPublicHost} from '../public-registry.js'
import {formatName, nameOnly, type ImageName} from './image-name.js'
import {judge} from './policy.js'
import {policyWarnings} from './policy-warnings.js'
import {entryOfItself, findEntry, pullSources, type PullSource} from './pull-sources.js'
import type {Entry} from './registries.js'
import type {Setup} from './setup.js'
import {sourceWarnings} from './source-warnings.js'

/** The way in which a full name is pulled. */
export interface NameAnswer {
  readonly outcome: Exclude<Outcome, 'ambiguous'>
  readonly message?: string
  readonly tries: readonly Try[]
  readonly warnings: readonly string[]
}

/** Follows containers/image from a full name to the manifest requests, then asks the policy, which knows only that name. */
export function explainName(name: ImageName, setup: Setup): NameAnswer {
  const {entries} = setup.registries
  const entry = findEntry(entries, nameOnly(name)) ?? entryOfItself(name)
  let sources: readonly PullSource[]
  try {
    sources = pullSources(entry, name)
  } catch (error) {
    const warning = `${entry.at}: [${entry.prefix}] makes no valid name of ${formatName(name)}, so neither its mirrors nor the registry are asked`
    return {outcome: 'error', message: messageOf(error), tries: [], warnings: [warning]}
  }
  const attempts = sources.map((source) => attempt(source, {name, entry, setup}))
  const tries = attempts.flatMap((one) => one.tries)
  const warnings = [
    ...attempts.slice(0, -1).flatMap(({failure}) => (failure === undefined ? [] : [failure.warning])),
    ...sourceWarnings(sources, {name, entry, entries}),
  ]
  const verdict = setup.policy === undefined ? undefined : judge(setup.policy.policy, name)
  if (verdict !== undefined && setup.policy !== undefined && tries.length > 0) {
    warnings.push(...policyWarnings(verdict, {name, sources, ...setup.policy}))
    if (verdict.result === 'rejected') {
      const message = `Running image docker://${familiar(name)} is rejected by policy.`
      return {outcome: 'refused-by-policy', message, tries, warnings}
    }
  }
  const failure = attempts.at(-1)?.failure
  if (failure === undefined) return {outcome: 'tries-all', tries, warnings}
  warnings.push(failure.warning)
  if (failure.isBlocked) return {outcome: 'blocked', message: failure.message, tries, warnings}
  return tries.length === 0
    ? {outcome: 'error', message: failure.message, tries, warnings}
    : {outcome: 'tries-all', tries, warnings}
}

interface Attempt {
  readonly tries: readonly Try[]
  readonly failure?: {readonly message: string; readonly warning: string; readonly isBlocked: boolean}
}

/** The checks before the first request, in the order of containers/image: login, certificates, then `blocked`. */
function attempt(
  source: PullSource,
  {name, entry, setup}: {readonly name: ImageName; readonly entry: Entry; readonly setup: Setup},
): Attempt {
  const {endpoint, mirror} = source
  const at = endpoint.at === '' ? '' : `${endpoint.at}: `
  const place = mirror === undefined ? 'the registry itself' : `mirror ${mirror}`
  const login = setup.login(source.name, name)
  const certificates = setup.certificates(source.name.domain)
  const problem = login.problem ?? certificates.problem
  const target = `${at}${place}, ${source.name.domain},`
  if (problem !== undefined)
    return {
      tries: [],
      failure: {message: problem, warning: `${target} is not asked: ${problem}`, isBlocked: false},
    }
  const blocking = findEntry(setup.registries.entries, nameOnly(source.name))
  if (blocking?.blocked === true) {
    const message = `registry ${blocking.prefix} is blocked in one of ${setup.registries.description}`
    const warning = `${target} is skipped because [${blocking.prefix}] at ${blocking.at} is blocked`
    return {tries: [], failure: {message, warning, isBlocked: true}}
  }
  const host = source.name.domain === 'docker.io' ? 'registry-1.docker.io' : source.name.domain
  const reference = source.name.digest ?? source.name.tag ?? 'latest'
  const path = `${host}/v2/${source.name.path}/manifests/${reference}`
  const rule =
    endpoint.at === ''
      ? 'no [[registry]] matches: the registry in the name'
      : mirror === undefined
        ? `location of [${entry.prefix}], always asked last`
        : `mirror ${mirror} of [${entry.prefix}]`
  const common = {
    ca: certificates.ca.length === 0 ? undefined : certificates.ca.join(', '),
    auth: login.auth,
    authSource: login.from,
    login: login.login,
    skipVerify: endpoint.insecure,
    public: isPublicHost(source.name.domain, {isOwn: source.name.domain === name.domain}),
  }
  const secure: Try = {url: `https://${path}`, source: at + rule, ...common}
  if (!endpoint.insecure) return {tries: [secure]}
  if (usuallySpeaksTls(host))
    return {tries: [{...secure, source: `${secure.source}; insecure, plain HTTP if HTTPS fails`}]}
  return {
    tries: [
      {...secure, source: `${secure.source}; insecure, HTTPS first`, only: 'tls-error'},
      {...secure, url: `http://${path}`, source: `${secure.source}; insecure, plain HTTP after HTTPS`},
    ],
  }
}

/** No port, or one that ends in 443. On others, an insecure registry is expected to speak plain HTTP. */
function usuallySpeaksTls(host: string): boolean {
  const port = /:(\d+)$/.exec(host)?.[1]
  return port === undefined || port.endsWith('443')
}

/** The name as Docker shows it: without docker.io and without `library/` there. */
function familiar(name: ImageName): string {
  const text = formatName(name)
  return text.startsWith('docker.io/')
    ? text.slice('docker.io/'.length).replace(/^library\/(?!.*\/)/, '')
    : text
}
