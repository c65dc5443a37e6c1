// Tiptap with its Collaboration extension, in a page of jsdom's.

import { JSDOM } from 'jsdom'

const { window } = new JSDOM('<!doctype html><body></body>')
const names = [
  'document', 'Node', 'Element', 'HTMLElement', 'MutationObserver', 'DocumentFragment', 'Text', 'Range', 'Selection',
  'KeyboardEvent', 'MouseEvent', 'InputEvent', 'getComputedStyle', 'DOMParser', 'XMLSerializer', 'innerHeight', 'navigator'
]
const own = Object.fromEntries(names.map((name) => [name, window[name]]))
for (const [name, value] of Object.entries({ ...own, window })) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}
globalThis.requestAnimationFrame = (call) => setTimeout(call, 0)
globalThis.cancelAnimationFrame = clearTimeout

const { Editor } = await import('@tiptap/core')
const { StarterKit } = await import('@tiptap/starter-kit')
const { Collaboration } = await import('@tiptap/extension-collaboration')

export const open = async (ydoc) => {
  const element = window.document.body.appendChild(window.document.createElement('div'))
  // Undoing is Collaboration's own there; links and underlines are as StarterKit sets them up.
  const editor = new Editor({
    element,
    extensions: [StarterKit.configure({ undoRedo: false }), Collaboration.configure({ document: ydoc })]
  })
  await new Promise((resolve) => setTimeout(resolve, 0))
  return editor
}
