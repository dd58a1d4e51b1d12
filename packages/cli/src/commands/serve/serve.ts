import {Command} from '../../run/command.js'
import {serveFlags} from './serve-flags.js'

/** `mirror serve`: a registry out of bundles, and of a layout that takes pushes. */
export class Serve extends Command {
  static override readonly summary = 'Serve bundles as a registry, without unpacking them.'
  static override readonly description =
    'Installs the first nodes before any registry stands. Images have the names that the bundle records, with or without their registry: docker.io/library/app and library/app. A node that asks with ?ns=REGISTRY, as containerd does for a mirror, gets the image of that registry. With --writable it takes pushes too. Ctrl-C or SIGTERM ends it.'
  static override readonly examples = [
    'mirror serve --source bundle.tar.xz --tls-cert cert.pem --tls-key key.pem',
    'mirror serve --source bundle.tar.zst --listen 127.0.0.1:5000 --plain-http',
    'mirror serve --writable /srv/pushed --htpasswd users --tls-cert cert.pem --tls-key key.pem',
  ]
  static override readonly flags = serveFlags
  static readonly common: readonly (keyof typeof serveFlags)[] = [
    'writable',
    'listen',
    'tls-cert',
    'tls-key',
    'plain-http',
    'htpasswd',
  ]

  protected override async run(): Promise<void> {
    const {flags} = await this.parse(Serve)
    const {runServe} = await import('./run-serve.js')
    process.exitCode = await runServe(flags)
  }
}
