import {Command} from '../../run/command.js'
import {emitFlags} from './emit-flags.js'

/** `mirror config emit`: configuration that makes nodes pull from the private registry. */
export class ConfigEmit extends Command {
  static override readonly summary =
    'Write the configuration that makes nodes pull from the private registry.'
  static override readonly description =
    'The names follow the same rules as a push. A mapping that the target cannot express is an error. Nothing is asked for over the network.'
  static override readonly examples = [
    'mirror config emit --for containerd --report report.json --cacert ca.pem --output node/',
    'mirror config emit --for k3s --images k3s-images.txt --private-registry registry.example:5000/mirror --fallback cut',
    'mirror config emit --for bmctl --host gcr.io --private-registry registry.example:5000/mirror --into cluster.yaml',
  ]
  static override readonly flags = emitFlags
  static readonly common: readonly (keyof typeof emitFlags)[] = [
    'report',
    'source',
    'images',
    'host',
    'private-registry',
    'fallback',
    'cacert',
    'output',
    'into',
    'overwrite',
  ]

  protected override async run(): Promise<void> {
    const {flags} = await this.parse(ConfigEmit)
    const {runConfigEmit} = await import('./run-emit.js')
    await runConfigEmit(flags)
  }
}
