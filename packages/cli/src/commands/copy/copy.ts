import {argument} from '../../settings/oclif-definitions.js'
import {Command} from '../../run/command.js'
import {copyFlags} from './copy-flags.js'
import {needCredentialArguments} from '../../settings/need-credential.js'

/** `mirror copy`: arguments and flags in, one call, exit code out. */
export class Copy extends Command {
  static override readonly summary = 'Copy one image between registries, archives and directories.'
  static override readonly description =
    'Both sides are written as skopeo writes them: docker://HOST/NAME[:TAG|@DIGEST], oci:PATH[:REF], oci-archive:PATH[:REF], docker-archive:PATH[:REF], dir:PATH. All platforms go along, and so do signatures if the target has a place for them.'
  static override readonly examples = [
    'mirror copy docker://quay.io/team/app:v1 docker://registry.example:5000/team/app:v1 --cacert ca.pem',
    'mirror copy docker://quay.io/team/app:v1 oci-archive:app.tar:v1',
    'mirror copy docker://quay.io/team/app:v1 docker-archive:app.tar:team/app:v1 --platform linux/amd64',
  ]
  static override readonly args = {
    source: argument({description: 'where the image is', required: true}),
    destination: argument({description: 'where it goes', required: true}),
  }
  static override readonly flags = copyFlags
  static readonly common: readonly (keyof typeof copyFlags)[] = [
    'platform',
    'cacert',
    'username',
    'password-stdin',
    'docker-config',
    'source-cacert',
    'source-docker-config',
    'plain-http',
    'source-plain-http',
    'dry-run',
  ]

  protected override async run(): Promise<void> {
    const {args, flags} = await this.parse(Copy, needCredentialArguments(this.argv))
    const {runCopy} = await import('./run-copy.js')
    process.exitCode = await runCopy(args, flags)
  }
}
