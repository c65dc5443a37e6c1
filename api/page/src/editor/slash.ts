/** What "/" offers. */

import { Extension, type Editor, type Range } from '@tiptap/core'
import { Suggestion, type SuggestionKeyDownProps, type SuggestionProps } from '@tiptap/suggestion'
import { choosePicture } from './pictures'

interface Item {
  title: string
  words: string
  run: (chain: ReturnType<Editor['chain']>) => ReturnType<Editor['chain']>
}

const ITEMS: Item[] = [
  { title: 'Text', words: 'paragraph plain', run: (chain) => chain.setParagraph() },
  { title: 'Heading 1', words: 'title h1', run: (chain) => chain.setHeading({ level: 1 }) },
  { title: 'Heading 2', words: 'h2', run: (chain) => chain.setHeading({ level: 2 }) },
  { title: 'Heading 3', words: 'h3', run: (chain) => chain.setHeading({ level: 3 }) },
  { title: 'Bullet list', words: 'ul unordered', run: (chain) => chain.toggleBulletList() },
  { title: 'Numbered list', words: 'ol ordered', run: (chain) => chain.toggleOrderedList() },
  { title: 'Task list', words: 'todo check', run: (chain) => chain.toggleTaskList() },
  { title: 'Table', words: 'grid rows', run: (chain) => chain.insertTable({ rows: 3, cols: 3, withHeaderRow: true }) },
  {
    title: 'Picture',
    words: 'image photo upload',
    run: (chain) =>
      chain.command(({ view }) => {
        choosePicture(view)
        return true
      }),
  },
  { title: 'Code block', words: 'program pre', run: (chain) => chain.setCodeBlock() },
  { title: 'Quote', words: 'blockquote', run: (chain) => chain.setBlockquote() },
  { title: 'Divider', words: 'line hr rule', run: (chain) => chain.setHorizontalRule() },
]

export const Slash = Extension.create({
  name: 'slash',
  addProseMirrorPlugins() {
    return [
      Suggestion<Item>({
        editor: this.editor,
        char: '/',
        startOfLine: false,
        allow: ({ state, range }) => state.doc.resolve(range.from).parent.type.name !== 'codeBlock',
        items: ({ query }) => matching(query),
        command: ({ editor, range, props }: { editor: Editor; range: Range; props: Item }) => {
          props.run(editor.chain().focus().deleteRange(range)).run()
        },
        render: () => new Menu(),
      }),
    ]
  },
})

function matching(query: string): Item[] {
  const wanted = query.toLowerCase()
  return ITEMS.filter((item) => `${item.title} ${item.words}`.toLowerCase().includes(wanted))
}

class Menu {
  private element: HTMLElement | null = null
  private props: SuggestionProps<Item> | null = null
  private chosen = 0

  onStart = (props: SuggestionProps<Item>): void => {
    this.element = document.createElement('div')
    this.element.className = 'slash'
    this.element.setAttribute('role', 'listbox')
    this.element.setAttribute('aria-label', 'Insert')
    this.element.id = 'slash'
    this.element.tabIndex = -1
    props.editor.view.dom.setAttribute('aria-controls', this.element.id)
    document.body.append(this.element)
    this.onUpdate(props)
  }

  onUpdate = (props: SuggestionProps<Item>): void => {
    this.props = props
    this.chosen = Math.min(this.chosen, Math.max(0, props.items.length - 1))
    this.draw()
  }

  onKeyDown = ({ event }: SuggestionKeyDownProps): boolean => {
    const count = this.props?.items.length ?? 0
    if (event.key === 'Escape') {
      this.onExit()
      return true
    }
    if (!count) return false
    if (event.key === 'ArrowDown') this.chosen = (this.chosen + 1) % count
    else if (event.key === 'ArrowUp') this.chosen = (this.chosen + count - 1) % count
    else if (event.key === 'Enter' || event.key === 'Tab') {
      this.pick(this.chosen)
      return true
    } else return false
    this.draw()
    return true
  }

  onExit = (): void => {
    this.element?.remove()
    this.props?.editor.view.dom.removeAttribute('aria-controls')
    this.props?.editor.view.dom.removeAttribute('aria-activedescendant')
    this.element = null
    this.chosen = 0
  }

  private pick(index: number): void {
    const item = this.props?.items[index]
    if (item) this.props?.command(item)
  }

  private draw(): void {
    const { element, props } = this
    if (!element || !props) return
    element.hidden = !props.items.length
    element.replaceChildren(
      ...props.items.map((item, index) => {
        const option = document.createElement('div')
        option.setAttribute('role', 'option')
        option.id = `slash-${index}`
        option.setAttribute('aria-selected', String(index === this.chosen))
        option.textContent = item.title
        option.addEventListener('mousedown', (event) => {
          event.preventDefault()
          this.pick(index)
        })
        return option
      }),
    )
    props.editor.view.dom.setAttribute('aria-activedescendant', `slash-${this.chosen}`)
    element.children[this.chosen]?.scrollIntoView({ block: 'nearest' })
    const place = props.clientRect?.()
    if (!place) return
    const below = place.bottom + element.offsetHeight + 8 < innerHeight
    element.style.left = `${Math.min(place.left, innerWidth - element.offsetWidth - 8)}px`
    element.style.top = below ? `${place.bottom + 4}px` : `${place.top - element.offsetHeight - 4}px`
  }
}
