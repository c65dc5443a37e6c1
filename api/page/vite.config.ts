import { defineConfig } from 'vite'

// The built files are part of the repository: the same source has to give the same files everywhere.
export default defineConfig({
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
