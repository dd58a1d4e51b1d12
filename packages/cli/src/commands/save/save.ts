import {Command} from '../../run/command.js'
import {saveFlags} from './save-flags.js'

/** `mirror save`: flags in, one call, exit code out. */
export class Save extends Command {
  static override readonly summary =
    'Save images of lists or of a job file into one bundle, to carry it across the gap.'
  static override readonly description =
    'The bundle is an OCI image layout, with signatures, attestations and SBOMs. containerd, podman and skopeo read it as it is, and so does docker with the containerd store. The same images always give the same bytes. A run that was interrupted goes on where it was.'
  static override readonly examples = [
    'mirror save --images k3s-images.txt --output bundle.tar.xz',
    'mirror save --config mirror.yaml --output bundle.tar.zst --max-size 4G --sign-key key.pem',
    'mirror save --images new.txt --since old.tar.xz --output delta.tar.xz --lock mirror.lock',
  ]
  static override readonly flags = saveFlags
  static readonly common: readonly (keyof typeof saveFlags)[] = [
    'images',
    'config',
    'platform',
    'max-size',
    'since',
    'sign-key',
    'lock',
    'source-docker-config',
    'source-cacert',
    'dry-run',
  ]

  protected override async run(): Promise<void> {
    const {flags} = await this.parse(Save)
    const {runSave} = await import('./run-save.js')
    process.exitCode = await runSave(flags)
  }
}
