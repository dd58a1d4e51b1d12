import {argument} from '../../settings/oclif-definitions.js'
import {Command} from '../../run/command.js'
import {loginFlags} from './login-flags.js'

/** `mirror login`: checks a user name and a password at a registry, and keeps them. */
export class Login extends Command {
  static override readonly errorsAs = 'nothing'
  static override readonly summary = 'Log in to a registry, and keep the login where docker or podman do.'
  static override readonly description =
    'The user name and the password are checked at the registry, and then kept in the Docker config or by the credential helper that it names. All commands find them there. Missing parts are asked for at the terminal.'
  static override readonly examples = [
    'mirror login registry.example:5000 --cacert ca.pem',
    'mirror login registry.example:5000 --cacert ca.pem --username pusher --password-stdin <password.txt',
    'mirror login registry.example:5000 --username pusher --docker-config ~/.config/containers/auth.json',
  ]
  static override readonly args = {
    registry: argument({description: 'the registry: HOST[:PORT]', required: true}),
  }
  static override readonly flags = loginFlags
  static readonly common: readonly (keyof typeof loginFlags)[] = [
    'username',
    'password-stdin',
    'docker-config',
    'cacert',
    'plain-http',
  ]

  protected override async run(): Promise<void> {
    const {args, flags} = await this.parse(Login)
    const {runLogin} = await import('./run-login.js')
    await runLogin(args.registry, flags)
  }
}
