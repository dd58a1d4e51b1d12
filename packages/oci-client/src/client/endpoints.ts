import {manifestKey, type Digest, type Reference} from '../model/index.js'

/** Paths of the distribution API (distribution-spec, Endpoints). Repositories, tags and digests need no escaping. */
export const endpoints = {
  base: '/v2/',
  blob: (repository: string, digest: Digest): string => `/v2/${repository}/blobs/${digest}`,
  manifest: (target: Reference): string => `/v2/${target.repository}/manifests/${manifestKey(target)}`,
  upload: (repository: string): string => `/v2/${repository}/blobs/uploads/`,
  mount: (repository: string, {digest, from}: {readonly digest: Digest; readonly from: string}): string =>
    `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`,
} as const

/** Appends the digest to the registry's query, because `_state` and signatures must stay byte for byte. */
export function withDigest(path: string, digest: Digest): string {
  return `${path}${path.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}

export function pullScope(repository: string): string {
  return `repository:${repository}:pull`
}
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`
}
