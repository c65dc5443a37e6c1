/** A button that opens a list of things to do. */

import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { Icon, type IconName } from './parts'

export interface Act {
  label: string
  icon?: IconName
  danger?: boolean
  run: () => void
}

export function Menu({ label, acts, children, class: name = 'icon-button' }: { label: string; acts: Act[]; children?: ComponentChildren; class?: string }) {
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const open = () => {
    if (!button.current || !list.current) return
    list.current.showPopover()
    put(list.current, button.current.getBoundingClientRect())
    list.current.querySelector('button')?.focus()
  }
  return (
    <>
      <button ref={button} type="button" class={name} aria-label={children ? undefined : label} title={children ? undefined : label} aria-haspopup="menu" onClick={open}>
        {children ?? <Icon name="more" />}
      </button>
      <div ref={list} class="acts" popover="auto" role="menu" aria-label={label} onKeyDown={walk}>
        {acts.map((act) => (
          <button
            key={act.label}
            type="button"
            role="menuitem"
            class={act.danger ? 'bad' : ''}
            onClick={() => {
              list.current?.hidePopover()
              act.run()
            }}
          >
            {act.icon && <Icon name={act.icon} />} {act.label}
          </button>
        ))}
      </div>
    </>
  )
}

/** Below the button, or above where there is no room; in the window in any case. */
function put(list: HTMLElement, at: DOMRect): void {
  const below = at.bottom + list.offsetHeight + 8 < innerHeight
  list.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - list.offsetHeight - 4)}px`
  list.style.left = `${Math.max(8, Math.min(at.left, innerWidth - list.offsetWidth - 8))}px`
}

function walk(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step) return
  event.preventDefault()
  const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll('button')]
  const next = buttons.indexOf(document.activeElement as HTMLButtonElement) + step
  buttons.at(next % buttons.length)?.focus()
}
