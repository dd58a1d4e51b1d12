/** The answer of a URL: a status, or the error that kept it from answering. */
export interface ProbeAnswer {
  readonly status?: number
  readonly digest?: string
  readonly error?: string
}

/** The answer in a line for people. */
export function probeAnswerLine({status, digest, error}: ProbeAnswer): string {
  if (error !== undefined) return error
  const meaning = MEANINGS.get(status ?? 0)
  return [
    `${status ?? 'none'}${meaning === undefined ? '' : ` (${meaning})`}`,
    ...(digest === undefined ? [] : [digest]),
  ].join(', ')
}

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [200, 'the image is there'],
  [401, 'the credential is missing or refused'],
  [403, 'access is denied'],
  [404, 'no such image'],
  [429, 'too many requests'],
])
