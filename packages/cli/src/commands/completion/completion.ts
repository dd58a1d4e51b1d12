import {argument} from '../../settings/oclif-definitions.js'
import {Command} from '../../run/command.js'
import {commandEntries} from '../../help/command-entry.js'
import {completionScript, shells} from '../../help/completion/completion.js'
import {writeStandardOutput} from '../../run/standard-streams.js'

/** `mirror completion`: the completion script of a shell, on standard output. */
export class Completion extends Command {
  static override readonly summary = 'Print the completion script for bash, zsh or fish.'
  static override readonly description =
    'The script is static text: it completes commands, flags, the values of flags, and files. Load it in the start file of your shell, or save it where the shell looks for completions.'
  static override readonly examples = [
    'mirror completion bash >/etc/bash_completion.d/mirror',
    'mirror completion zsh >/usr/local/share/zsh/site-functions/_mirror',
    'mirror completion fish >~/.config/fish/completions/mirror.fish',
  ]
  static override readonly args = {
    shell: argument({description: `the shell: ${shells.join(', ')}`, required: true, options: [...shells]}),
  }
  static override readonly flags = {}

  protected override async run(): Promise<void> {
    const {args} = await this.parse(Completion)
    const shell = shells.find((one) => one === args.shell)
    if (shell === undefined) throw new Error(`the parser let the shell ${args.shell} pass`)
    await writeStandardOutput(completionScript(shell, commandEntries(this.table)))
  }
}
