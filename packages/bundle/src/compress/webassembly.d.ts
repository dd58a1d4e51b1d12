/** The used part of WebAssembly: Node has it, but its types are only in the browser's. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>
  }
  const Module: new (code: Uint8Array) => Module
  const Instance: new (module: Module) => Instance
}
