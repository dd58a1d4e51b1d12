import {argument} from '../../settings/oclif-definitions.js'
import {Command} from '../../run/command.js'
import {logoutFlags} from './logout-flags.js'

/** `mirror logout`: removes a login that was kept. */
export class Logout extends Command {
  static override readonly errorsAs = 'nothing'
  static override readonly summary = 'Remove the login of a registry from the Docker config or its helper.'
  static override readonly description = 'Asks no registry: a login is only kept, and holds for no session.'
  static override readonly examples = [
    'mirror logout registry.example:5000',
    'mirror logout registry.example:5000 --docker-config ~/.config/containers/auth.json',
  ]
  static override readonly args = {
    registry: argument({description: 'the registry: HOST[:PORT]', required: true}),
  }
  static override readonly flags = logoutFlags
  static readonly common: readonly (keyof typeof logoutFlags)[] = ['docker-config']

  protected override async run(): Promise<void> {
    const {args, flags} = await this.parse(Logout)
    const {runLogout} = await import('./run-logout.js')
    await runLogout(args.registry, flags)
  }
}
