import type {Advice, Side} from '@airgap-mirror/oci-client/model'

/** A command as advice knows it. */
export interface AdvisedCommand {
  /** As it is typed after `mirror`. */
  readonly name: string
  /** Its flags by name, without dashes. */
  readonly flags: Readonly<Record<string, unknown>>
}

/** The command and the side that an advice is worded for. */
export interface Setting {
  readonly side: Side | undefined
  readonly command: string | undefined
  /** The flag of the side, such as `--source-cacert`; undefined if the command has none for it, or there is no side. */
  readonly sided: (name: string) => string | undefined
  /** A flag that has no side, such as `--map`; undefined if the command lacks it. */
  readonly flag: (name: string) => string | undefined
}

/** A sentence for each kind of advice, or a function that makes it. */
export type Words = {
  readonly [Kind in Advice['kind']]:
    string | ((setting: Setting, advice: Extract<Advice, {readonly kind: Kind}>) => string)
}

/** A part of a sentence that names a flag; empty if the command lacks it. */
export function given(flag: string | undefined, part: (flag: string) => string): string {
  return flag === undefined ? '' : part(flag)
}

/** Returns true for a command that asks a private registry and writes nothing into it. */
export function onlyReads(command: string | undefined): boolean {
  return command === 'verify' || command === 'config check'
}

export function settingOf(side: Side | undefined, command: AdvisedCommand | undefined): Setting {
  const flag = (name: string): string | undefined =>
    command !== undefined && Object.hasOwn(command.flags, name) ? `--${name}` : undefined
  return {
    side,
    command: command?.name,
    sided: (name) => (side === undefined ? undefined : flag(side === 'source' ? `source-${name}` : name)),
    flag,
  }
}
