import {Command} from '../../run/command.js'
import {doctorFlags} from './doctor-flags.js'

/** `mirror doctor`: is a push to this registry going to work, and if not, why. */
export class Doctor extends Command {
  static override readonly errorsAs = 'doctor'
  static override readonly summary =
    'Find out what stands between this machine and a registry, and what to change.'
  static override readonly description =
    'Looks at the name, the connection, the certificate, the clock, the login, the right to push and what the registry can do, in the order in which a push meets them. It changes nothing that stays: uploads that it opens are cancelled, and what --try-writes writes is deleted. Exit code 1 if a push cannot work.'
  static override readonly examples = [
    'mirror doctor --private-registry registry.example:5000/mirror --cacert ca.pem',
    'mirror doctor --private-registry registry.example:5000/mirror --try-writes --try-body 64MiB',
    'mirror doctor --private-registry registry.example:5000/mirror --json',
  ]
  static override readonly flags = doctorFlags
  static readonly common: readonly (keyof typeof doctorFlags)[] = [
    'cacert',
    'plain-http',
    'username',
    'password-stdin',
    'docker-config',
    'proxy',
    'try-writes',
    'try-body',
    'json',
  ]

  protected override async run(): Promise<void> {
    const {flags} = await this.parse(Doctor)
    const {runDoctor} = await import('./run-doctor.js')
    process.exitCode = await runDoctor(flags)
  }
}
