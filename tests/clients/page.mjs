// A page of jsdom's, for the editors that need one.

import { JSDOM } from 'jsdom'

const { window } = new JSDOM('<!doctype html><body></body>', { url: 'https://doxie.test/' })
const names = [
  'document', 'Node', 'Element', 'HTMLElement', 'MutationObserver', 'DocumentFragment', 'Text', 'Range', 'Selection',
  'KeyboardEvent', 'MouseEvent', 'InputEvent', 'getComputedStyle', 'DOMParser', 'XMLSerializer', 'innerHeight', 'navigator',
  'localStorage'
]
const own = Object.fromEntries(names.map((name) => [name, window[name]]))
for (const [name, value] of Object.entries({ ...own, window })) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}
globalThis.requestAnimationFrame = (call) => setTimeout(call, 0)
globalThis.cancelAnimationFrame = clearTimeout

export const place = () => window.document.body.appendChild(window.document.createElement('div'))
