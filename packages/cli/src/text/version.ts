/** The version of the program. A test holds it to the version of the packages. */
export const VERSION = '0.1.0'
