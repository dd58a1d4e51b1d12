import {Command} from '../../run/command.js'
import {needCredentialArguments} from '../../settings/need-credential.js'
import {pushFlags} from './push-flags.js'

/** `mirror push`: flags in, one call, exit code out. */
export class Push extends Command {
  static override readonly summary = 'Push every image of a bundle into a private registry.'
  static override readonly description =
    'Reads the bundle without unpacking it. Content that the registry already has is not sent again.'
  static override readonly examples = [
    'mirror push --source bundle.tar.xz --private-registry registry.example:5000/mirror --cacert ca.pem',
    'mirror push --source k3s-airgap-images-amd64.tar.zst --images k3s-images.txt --private-registry registry.example:5000',
    'mirror push --source bundle.tar.xz --private-registry registry.example:5000 --dry-run',
  ]
  /** bmctl's name for it. */
  static override readonly aliases = ['push:images']
  static override readonly flags = pushFlags
  static readonly common: readonly (keyof typeof pushFlags)[] = [
    'cacert',
    'username',
    'password-stdin',
    'docker-config',
    'images',
    'dry-run',
    'rewrite',
    'limit-rate',
    'report',
    'quiet',
  ]

  protected override async run(): Promise<void> {
    const {flags} = await this.parse(Push, needCredentialArguments(this.argv))
    const {runPush} = await import('./run-push.js')
    process.exitCode = await runPush(flags)
  }
}
