/** The programs whose files are understood. `auto` detects the format from the content. */
export const importFormats = ['auto', 'skopeo', 'regsync'] as const

export type ImportFormat = (typeof importFormats)[number]
