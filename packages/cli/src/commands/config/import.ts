import {argument} from '../../settings/oclif-definitions.js'
import {Command} from '../../run/command.js'
import {text} from '../../settings/define-flag.js'
import {importFormats} from '../../job/import/import-formats.js'

/** `mirror config import`: the file of another program in, a job file out. */
export class ConfigImport extends Command {
  static override readonly summary = 'Turn the YAML of skopeo sync or of regsync into a job file.'
  static override readonly description =
    'The job file goes to standard output. Settings without a counterpart are named in its comments and on standard error. Secrets are not copied: variables stand for them.'
  static override readonly examples = [
    'mirror config import sync.yaml >mirror.yaml',
    'mirror config import regsync.yml --from regsync >mirror.yaml',
  ]
  static override readonly args = {
    file: argument({description: 'the file to import, or - for standard input', required: true}),
  }
  static override readonly flags = {
    from: text('from', {
      description: 'program that the file is for [default: auto]',
      helpValue: importFormats.join('|'),
      options: [...importFormats],
    }),
  }

  protected override async run(): Promise<void> {
    const {args, flags} = await this.parse(ConfigImport)
    const {runConfigImport} = await import('./run-import.js')
    await runConfigImport({file: args.file, from: importFormats.find((one) => one === flags.from)})
  }
}
