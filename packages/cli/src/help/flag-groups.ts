/** The groups of flags, in the order in which a reader meets them, with their headings. */
const HEADINGS: Readonly<Record<string, string>> = {
  '': 'Input',
  REGISTRY: 'The private registry',
  'SOURCE REGISTRIES': 'The registries that images come from',
  NAMING: 'Names in the registry',
  CHOOSING: 'Which images',
  READING: 'Reading the bundle',
  WRITING: 'Writing the bundle',
  'WHAT NODES ARE TOLD': 'What nodes are told',
  'UNATTENDED RUNS': 'Unattended runs',
  STATE: 'State',
  OUTPUT: 'Output',
}

/** Returns the heading of a group of flags. */
export function headingOf(group: string): string {
  return HEADINGS[group] ?? group.slice(0, 1) + group.slice(1).toLowerCase()
}

/** Items by group, in the order of the headings. Groups without a heading come last. */
export function byGroup<Item extends {readonly group: string}>(
  items: readonly Item[],
): readonly (readonly [group: string, items: readonly Item[]])[] {
  const groups = new Set([...Object.keys(HEADINGS), ...items.map(({group}) => group)])
  return [...groups].flatMap((group) => {
    const own = items.filter((item) => item.group === group)
    return own.length === 0 ? [] : [[group, own] as const]
  })
}
