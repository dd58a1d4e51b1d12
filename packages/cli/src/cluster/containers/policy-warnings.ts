import {nameOnly, type ImageName} from './image-name.js'
import type {Policy, Verdict} from './policy.js'
import type {PullSource} from './pull-sources.js'

interface Judged {
  readonly name: ImageName
  readonly sources: readonly PullSource[]
  readonly policy: Policy
  readonly path: string
}

/** Sentences about the verdict of policy.json on a name: which section decided, and what is often mistaken about it. */
export function policyWarnings(verdict: Verdict, {name, sources, policy, path}: Judged): readonly string[] {
  const section = verdict.scope === 'default' ? 'the default' : `the scope "${verdict.scope}"`
  if (verdict.result === 'signed')
    return [
      `${path}: ${section} demands a signature for ${nameOnly(name)}: the mirror must have the signatures too, and an identity in them is compared with the name in the pod`,
    ]
  if (verdict.result === 'accepted') return []
  const scopes = [...(policy.transports.get('docker')?.keys() ?? [])]
  const mirrors = sources.filter(({mirror}) => mirror !== undefined)
  const listed = mirrors.find(({name: {domain}}) =>
    scopes.some((scope) => scope === domain || scope.startsWith(`${domain}/`)),
  )
  const mistake =
    listed === undefined
      ? ''
      : `; ${listed.name.domain} is listed, but the policy is asked about the name in the pod and never about the mirror`
  return [`${path}: ${section} rejects ${nameOnly(name)} after the manifest is fetched${mistake}`]
}
