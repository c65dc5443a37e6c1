import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vite'

/** `sw.js`, which is told the files it keeps; their names change with their content, and its version with them. */
const worker: Plugin = {
  name: 'worker',
  generateBundle(_options, bundle) {
    const built = Object.keys(bundle).filter((name) => name.startsWith('assets/'))
    const files = ['/', '/icon.svg', ...built.sort().map((name) => `/${name}`)]
    const version = createHash('sha256').update(files.join()).digest('hex').slice(0, 12)
    const source = readFileSync(new URL('sw.js', import.meta.url), 'utf8')
      .replace('const FILES = [] // filled by the build', `const FILES = ${JSON.stringify(files)}`)
      .replace("const CACHE = 'page'", `const CACHE = 'page-${version}'`)
    this.emitFile({ type: 'asset', fileName: 'sw.js', source })
  },
}

// The built files are part of the repository: the same source has to give the same files everywhere.
export default defineConfig({
  plugins: [worker],
  build: {
    outDir: 'dist',
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    sourcemap: false,
  },
  server: {
    proxy: { '/api': 'http://127.0.0.1:8000' },
  },
})
