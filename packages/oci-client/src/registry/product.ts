import {parseChallenges} from '../auth/challenge.js'

/** The answers of a registry's base page by which products can be told apart: `header` of the last, `challenges` of all. */
export interface Signs {
  readonly header: (name: string) => string | undefined
  /** Values of `www-authenticate`. */
  readonly challenges: readonly string[]
}

/** Headers that only one product sends. */
const HEADERS = [
  ['x-jfrog-version', 'Artifactory'],
  ['x-artifactory-id', 'Artifactory'],
  ['x-gitlab-meta', 'GitLab'],
  ['x-harbor-csrf-token', 'Harbor'],
  ['x-quay-request-id', 'Quay'],
  ['x-registry-supports-signatures', 'OpenShift'],
] as const

/** Realm and service of challenges, joined by a space. The first match counts. */
const CHALLENGES = [
  [/ harbor-registry$/, 'Harbor'],
  [/\/jwt\/auth container_registry$/, 'GitLab'],
  [/\/v2\/token container_registry$/, 'Gitea or Forgejo'],
  [/\/openshift\/token/, 'OpenShift'],
  [/ ecr\.amazonaws\.com$/, 'Amazon ECR'],
  [/ [^ ]+\.azurecr\.io$/, 'Azure Container Registry'],
  [/ [^ ]+\.pkg\.dev$/, 'Google Artifact Registry'],
  [/ ghcr\.io$/, 'GitHub'],
  [/ registry\.docker\.io$/, 'Docker Hub'],
  [/\/v2\/auth /, 'Quay'],
  [/^Sonatype Nexus/, 'Nexus'],
  [/^Artifactory Realm/, 'Artifactory'],
] as const

/** Returns the product that a registry is; undefined if nothing tells. `Server` does not count: it is often a proxy's. */
export function productOf({header, challenges}: Signs): string | undefined {
  const byHeader = HEADERS.find(([name]) => header(name) !== undefined)
  if (byHeader !== undefined) return byHeader[1]
  const texts = parseChallenges(challenges).map(
    ({parameters}) => `${parameters.get('realm') ?? ''} ${parameters.get('service') ?? ''}`,
  )
  return CHALLENGES.find(([pattern]) => texts.some((text) => pattern.test(text)))?.[1]
}
