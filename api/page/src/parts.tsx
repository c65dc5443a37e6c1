/** Small pieces that several views are made of. */

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

const PATHS = {
  plus: 'M12 5v14M5 12h14',
  menu: 'M4 7h16M4 12h16M4 17h16',
  search: 'm20 20-4-4M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14z',
  out: 'M14 8V5H5v14h9v-3M10 12h10m-3-3 3 3-3 3',
  close: 'm6 6 12 12M18 6 6 18',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  page: 'M7 3h7l5 5v13H7zM14 3v5h5',
  trash: 'M4 7h16M9 7V4h6v3M7 7l1 13h8l1-13',
  history: 'M3 12a9 9 0 1 0 3-6.7L3 8M3 3v5h5M12 7v5l3 2',
  flow: 'M4 4h6v6H4zM14 14h6v6h-6zM7 10v4a3 3 0 0 0 3 3h4',
  share: 'M16 8a3 3 0 1 0-2.8-4M6 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zm2.6-4.4 6-3.4M8.6 13.4l6 3.4M17 21a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  download: 'M12 4v11m0 0 4-4m-4 4-4-4M5 20h14',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0',
  sun: 'M12 4V2M12 22v-2M4 12H2M22 12h-2M6 6 5 5M19 19l-1-1M6 18l-1 1M19 5l-1 1M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z',
  gear: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 2v3M12 19v3M4.9 4.9 7 7M17 17l2.1 2.1M2 12h3M19 12h3M4.9 19.1 7 17M17 7l2.1-2.1',
  check: 'm5 13 4 4L19 7',
  chevron: 'm9 6 6 6-6 6',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}

export function IconButton({ icon, label, ...rest }: { icon: IconName; label: string } & JSX.IntrinsicElements['button']) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  )
}

export function Field({ label, hint, ...rest }: { label: string; hint?: string } & JSX.IntrinsicElements['input']) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} {...rest} />
      {hint && <small>{hint}</small>}
    </div>
  )
}

/** The fields of a form that was sent. */
export function values(event: Event): Record<string, string> {
  event.preventDefault()
  const data = new FormData(event.currentTarget as HTMLFormElement)
  return Object.fromEntries([...data].map(([name, value]) => [name, String(value)]))
}

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="dialog-body">
        <header>
          <h2>{title}</h2>
          <IconButton icon="close" label="Close" onClick={() => dialog.current?.close()} />
        </header>
        {children}
      </div>
    </dialog>
  )
}

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

export function Time({ at }: { at: string }) {
  const date = new Date(at)
  const seconds = (date.getTime() - Date.now()) / 1000
  const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size)
  const text = unit ? RELATIVE.format(Math.round(seconds / unit[1]), unit[0]) : 'just now'
  return (
    <time dateTime={at} title={DATE.format(date)}>
      {text}
    </time>
  )
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KB', 'MB', 'GB']
  let value = bytes
  let unit = 'B'
  for (const next of units) {
    if (value < 1024) break
    value /= 1024
    unit = next
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`
}

const COLOURS = ['#1c6bb0', '#b0255a', '#1f7a4d', '#9a4f08', '#6a3fb5', '#0b7285', '#b3261e', '#55700a']

/** A colour of one's own, the same everywhere: dark enough for white letters, in the form that Tiptap takes. */
export function colour(id: string): string {
  let sum = 0
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) >>> 0
  return COLOURS[sum % COLOURS.length] ?? '#444444'
}

export function Avatar({ id, name }: { id: string; name: string }) {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word[0] ?? '')
    .join('')
    .toUpperCase()
  return (
    <span class="avatar" style={{ background: colour(id) }} title={name} aria-label={name} role="img">
      {initials}
    </span>
  )
}
