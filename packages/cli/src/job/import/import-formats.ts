/** Whose files are understood; `auto` tells them apart by what is in them. */
export const importFormats = ['auto', 'skopeo', 'regsync'] as const

export type ImportFormat = (typeof importFormats)[number]
