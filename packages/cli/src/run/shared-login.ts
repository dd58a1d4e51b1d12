import {MirrorError} from '@airgap-mirror/oci-client/model'

/**
 * Refuses a login given by a flag if there are several registries, since it is the secret of one.
 * @throws {MirrorError} USAGE
 */
export function refuseSharedLogin(
  hosts: ReadonlySet<string>,
  settings: {readonly username?: string},
  flag: string,
): void {
  if (settings.username === undefined || hosts.size < 2) return
  throw new MirrorError(
    'USAGE',
    `${flag} gives one login, and there are ${hosts.size} registries: ${[...hosts].join(', ')}`,
    {
      hint: 'Give logins in a Docker config file or, for each registry, in a job file.',
    },
  )
}
