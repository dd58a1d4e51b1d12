import {argument} from '../../settings/oclif-definitions.js'
import {Command} from '../../run/command.js'
import {inspectFlags} from './inspect-flags.js'

/** `mirror inspect`: what a bundle holds. */
export class Inspect extends Command {
  static override readonly errorsAs = 'inspect'
  static override readonly summary =
    'Show what a bundle holds: images, platforms, sizes, signatures and SBOMs.'
  static override readonly description =
    'Reads the index and the manifests, and no layer: "mirror verify --source BUNDLE" proves that all content is whole. Exit code 3 if an image cannot be read or lacks content.'
  static override readonly examples = [
    'mirror inspect bundle.tar.xz',
    'mirror inspect bundle.tar.xz --tree',
    'mirror inspect bundle.tar.xz --html bundle.html',
    'mirror inspect --diff old.tar.xz new.tar.xz',
    'mirror inspect bundle.tar.xz --json',
  ]
  static override readonly args = {
    bundle: argument({
      description: 'a bundle: file, directory, first volume, or - for standard input',
      required: true,
    }),
  }
  static override readonly flags = inspectFlags
  static readonly common: readonly (keyof typeof inspectFlags)[] = ['diff', 'tree', 'json', 'html']

  protected override async run(): Promise<void> {
    const {args, flags} = await this.parse(Inspect)
    this.source = args.bundle
    const {runInspect} = await import('./run-inspect.js')
    process.exitCode = await runInspect(args.bundle, flags)
  }
}
