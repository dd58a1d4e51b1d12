import {MirrorError} from '@airgap-mirror/oci-client/model'

export interface GlobChoice {
  /** Globs on the source reference: `*` within a component, `**` across, `?` one character. Empty: all. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/** Returns a test for source references that are included and not excluded. Without an include glob all are included. */
export function globMatcher(choice: GlobChoice): (reference: string) => boolean {
  const include = choice.include.map(globExpression)
  const exclude = choice.exclude.map(globExpression)
  return (reference) =>
    (include.length === 0 || include.some((glob) => glob.test(reference))) &&
    !exclude.some((glob) => glob.test(reference))
}

/** @throws {MirrorError} USAGE for characters that no reference has: they are meant as syntax, and are none */
function globExpression(glob: string): RegExp {
  const [odd] = /[[\]{}!,\s\\]/.exec(glob) ?? []
  if (odd !== undefined) {
    throw new MirrorError(
      'USAGE',
      `the glob ${JSON.stringify(glob)} has ${JSON.stringify(odd)}, which no image name has`,
      {
        hint: 'Use * within a component and ** across components, and give several globs one by one.',
      },
    )
  }

  const source = glob.replaceAll(/\*\*|[*?]|[^*?]+/g, (part) => {
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    return part === '?' ? '[^/]' : part.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
  })
  return new RegExp(`^${source}$`)
}
