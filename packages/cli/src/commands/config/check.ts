import {Command} from '../../run/command.js'
import {checkFlags} from './check-flags.js'
import {needCredentialArguments} from '../../settings/need-credential.js'

/** `mirror config check`: whether nodes would pull every image from the mirror. */
export class ConfigCheck extends Command {
  static override readonly errorsAs = 'check'
  static override readonly summary = 'Check that nodes would pull every image from the mirror.'
  static override readonly description =
    'Says of each image whether it comes from the mirror, leaks to the internet, fails or is refused. The exit code is 4 unless all come from the mirror.'
  static override readonly examples = [
    'mirror config check --pods pods.json --files node/ --private-registry registry.example:5000/mirror --cacert ca.pem',
    'mirror config check --images k3s-images.txt --files node/ --as k3s',
    'mirror config check --report report.json --files manifests/ --json',
  ]
  static override readonly flags = checkFlags
  static readonly common: readonly (keyof typeof checkFlags)[] = [
    'pods',
    'images',
    'source',
    'report',
    'as',
    'private-registry',
    'cacert',
    'username',
    'docker-config',
    'json',
  ]

  protected override async run(): Promise<void> {
    const {flags} = await this.parse(ConfigCheck, needCredentialArguments(this.argv))
    const {runConfigCheck} = await import('./run-check.js')
    process.exitCode = await runConfigCheck(flags)
  }
}
