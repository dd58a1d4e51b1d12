import {argument} from '../../settings/oclif-definitions.js'
import {Command} from '../../run/command.js'
import {explainFlags} from './explain-flags.js'

/** `mirror config explain`: which URLs a node asks for an image. */
export class ConfigExplain extends Command {
  static override readonly errorsAs = 'explain'
  static override readonly summary = 'Show every URL that a node asks for an image, in order, and why.'
  static override readonly description =
    'Reads the configuration of a container runtime as it lies on a node. Nothing is asked for over the network without --probe.'
  static override readonly examples = [
    'mirror config explain gcr.io/proj/app:1.0 --files /',
    'mirror config explain nginx --files node1/ --as containerd@2.1 --json',
    'mirror config explain nginx --files node1/ --probe',
  ]
  static override readonly args = {
    reference: argument({description: 'the image, as a pod names it', required: true}),
  }
  static override readonly flags = explainFlags

  protected override async run(): Promise<void> {
    const {args, flags} = await this.parse(ConfigExplain)
    const {runConfigExplain} = await import('./run-explain.js')
    await runConfigExplain(args.reference, flags)
  }
}
