import type {ErrorsAs} from './error-output.js'
import type {ArgInput, FlagInput, Input, OutputArgs, OutputFlags, ParserOutput} from '@oclif/core/parser'

/** A command's class, whose static members are what help, completion and manual pages show. */
interface CommandClass {
  new (argv: readonly string[], table: CommandTable): Command
  readonly summary: string
  readonly description: string
  readonly examples: readonly string[]
  readonly aliases: readonly string[]
  readonly args: ArgInput
  readonly flags: FlagInput
  readonly errorsAs: ErrorsAs
}

/** All commands by id, such as `config:emit`. */
export type CommandTable = Readonly<Record<string, CommandClass>>

/**
 * A command. oclif parses its arguments; its own base class would load plugins, templates and spinners with the table of
 * commands, which help alone needs none of.
 */
export abstract class Command {
  static readonly summary: string
  static readonly description: string
  static readonly examples: readonly string[] = []
  /** Other ids of the command. */
  static readonly aliases: readonly string[] = []
  static readonly args: ArgInput = {}
  static readonly flags: FlagInput = {}
  /** The JSON in which `--json` prints an error that ends the command. */
  static readonly errorsAs: ErrorsAs = 'report'

  /** The arguments as they were given, or as `parse` got them. */
  protected argv: readonly string[]
  /** The bundle of a command that takes one as its argument. */
  protected source?: string
  /** For a command that tells of all commands. */
  protected readonly table: CommandTable

  constructor(argv: readonly string[], table: CommandTable) {
    this.argv = argv
    this.table = table
  }

  protected abstract run(): Promise<void>

  /** Runs the command to its end. An error sets the exit code and is printed. */
  async execute(id: string): Promise<void> {
    try {
      await this.run()
    } catch (error) {
      const {flags, errorsAs} = this.constructor as unknown as CommandClass
      const {fail} = await import('./fail.js')
      const command = {name: id.replaceAll(':', ' '), flags}
      await fail(error, {command, argv: this.argv, errorsAs, source: this.source})
    }
  }

  /** @throws an error of oclif, which `fail` words */
  protected async parse<
    Flags extends OutputFlags<FlagInput>,
    Base extends OutputFlags<FlagInput>,
    Args extends OutputArgs<ArgInput>,
  >(
    command: Pick<Input<Flags, Base, Args>, 'flags' | 'args'>,
    argv = this.argv,
  ): Promise<ParserOutput<Flags, Base, Args>> {
    this.argv = argv
    const {parse} = await import('@oclif/core/parser')
    return parse([...argv], {flags: command.flags, args: command.args})
  }
}
