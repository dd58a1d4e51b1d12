import {Command} from '../../run/command.js'
import {syncFlags} from './sync-flags.js'
import {needCredentialArguments} from '../../settings/need-credential.js'

/** `mirror sync`: flags in, one call, exit code out. */
export class Sync extends Command {
  static override readonly summary =
    'Keep the images of lists or of a job file up to date in a private registry.'
  static override readonly description =
    'Made for cron: an unchanged image costs one small request at each side, and a night without trouble prints nothing with --quiet.'
  static override readonly examples = [
    'mirror sync --images k3s-images.txt --private-registry registry.example:5000/mirror --cacert ca.pem',
    'mirror sync --config mirror.yaml --quiet --metrics /var/lib/node_exporter/mirror.prom --wait 1h',
    'mirror sync --config mirror.yaml --prune --dry-run',
  ]
  static override readonly flags = syncFlags
  static readonly common: readonly (keyof typeof syncFlags)[] = [
    'images',
    'config',
    'private-registry',
    'cacert',
    'docker-config',
    'source-docker-config',
    'dry-run',
    'prune',
    'quiet',
    'wait',
  ]

  protected override async run(): Promise<void> {
    const {flags} = await this.parse(Sync, needCredentialArguments(this.argv))
    const {runSync} = await import('./run-sync.js')
    process.exitCode = await runSync(flags)
  }
}
