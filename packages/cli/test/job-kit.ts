import type {MirrorError} from '@airgap-mirror/oci-client/model'
import {expect} from 'vitest'
import type {JobFile} from '#src/job/job.js'
import {parseJobFile} from '#src/job/parse-job-file.js'

export function parse(text: string, variables: Readonly<Record<string, string>> = {}): Promise<JobFile> {
  return parseJobFile(text, {name: 'mirror.yaml', directory: '/etc/mirror', variables})
}

export async function refused(
  text: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<MirrorError> {
  return parse(text, variables).then(
    () => expect.unreachable('it was taken'),
    (error: MirrorError) => error,
  )
}
