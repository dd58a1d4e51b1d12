import {explain, parseRuntime} from '#src/cluster/explain/explain.js'
import type {Explanation} from '#src/cluster/explanation.js'
import {memoryFiles} from '#src/cluster/files/memory-files.js'

/** Files by their path on the node. */
export type Contents = Readonly<Record<string, string>>

export function explained(reference: string, as: string, files: Contents): Explanation {
  return explain(reference, {files: memoryFiles(new Map(Object.entries(files))), as: parseRuntime(as)})
}

/** The tries and the outcome, a line each: the URL and anything unusual about it. */
export function shown({outcome, message, tries}: Explanation): readonly string[] {
  return [
    ...tries.map(({url, ca, auth, skipVerify, public: isPublic, only}) =>
      [
        url,
        ...(ca === undefined ? [] : [`ca=${ca}`]),
        ...(auth === 'none' ? [] : [auth]),
        ...(skipVerify ? ['unverified'] : []),
        ...(isPublic ? ['public'] : []),
        ...(only === undefined ? [] : [only]),
      ].join(' '),
    ),
    ...(outcome === 'tries-all' ? [] : [message === undefined ? outcome : `${outcome}: ${message}`]),
  ]
}
