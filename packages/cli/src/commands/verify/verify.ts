import {Command} from '../../run/command.js'
import {needCredentialArguments} from '../../settings/need-credential.js'
import {verifyFlags} from './verify-flags.js'

/** `mirror verify`: proof that a bundle is whole, or that everything in it is in the registry. */
export class Verify extends Command {
  static override readonly summary = 'Prove that a private registry holds everything a bundle or a list has.'
  static override readonly description =
    'Every tag, index, platform, config, layer and referrer has to be there with the same digest. Without --private-registry the bundle itself is read and checked. Exit code 4 if anything differs.'
  static override readonly examples = [
    'mirror verify --source bundle.tar.xz --private-registry registry.example:5000/mirror --cacert ca.pem',
    'mirror verify --source bundle.tar.xz --private-registry registry.example:5000/mirror --deep',
    'mirror verify --source bundle.tar.xz',
    'mirror verify --images k3s-images.txt --private-registry registry.example:5000/mirror',
  ]
  static override readonly flags = verifyFlags
  static readonly common: readonly (keyof typeof verifyFlags)[] = [
    'source',
    'images',
    'private-registry',
    'cacert',
    'username',
    'password-stdin',
    'docker-config',
    'deep',
    'report',
    'quiet',
  ]

  protected override async run(): Promise<void> {
    const {flags} = await this.parse(Verify, needCredentialArguments(this.argv))
    const {runVerify} = await import('./run-verify.js')
    process.exitCode = await runVerify(flags)
  }
}
