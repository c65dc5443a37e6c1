/** Small pieces that several views are made of. */

import type { ComponentChildren, JSX, TargetedEvent } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { toast } from './state'

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
  back: 'm15 6-6 6 6 6',
  upload: 'M12 16V5m0 0 4 4m-4-4-4 4M5 20h14',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  picture: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01',
  move: 'M5 5v9a3 3 0 0 0 3 3h11m-4-4 4 4-4 4',
  undo: 'M4 10h10a5 5 0 0 1 0 10h-3M4 10l4-4m-4 4 4 4',
  key: 'M8 19a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm2.8-6.8L20 3m-4 4 3 3',
  shield: 'M12 3 5 6v5c0 5 3 8 7 10 4-2 7-5 7-10V6zM9 12l2 2 4-4',
  phone: 'M8 3h8v18H8zM11 18h2',
  warn: 'M12 4 3 20h18zM12 10v4m0 3h.01',
  bold: 'M7 5h6a3.5 3.5 0 0 1 0 7H7zm0 7h7a3.5 3.5 0 0 1 0 7H7z',
  italic: 'M11 5h6M7 19h6M14 5l-4 14',
  strike: 'M4 12h16M16 7.5C16 6 14.5 5 12 5s-4 1.2-4 3c0 1.5 1 2.5 3 3.2M8 16.5C8 18 9.5 19 12 19s4-1.2 4-3',
  code: 'm8 8-4 4 4 4M16 8l4 4-4 4',
  codeblock: 'M4 4h16v16H4zM10 9l-3 3 3 3m4-6 3 3-3 3',
  heading: 'M6 5v14M18 5v14M6 12h12',
  bullets: 'M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01',
  numbers: 'M10 6h10M10 12h10M10 18h10M4 4.5l1.5-.5v5M4 14.5c2-2 3 0 1.5 1.5L4 18h2.5',
  tasks: 'M11 6h9M11 12h9M11 18h9M3 6l1.5 1.5L7 5M3 12l1.5 1.5L7 11M3 18l1.5 1.5L7 17',
  quote: 'M9 7H5v5h4v1a3 3 0 0 1-3 3M19 7h-4v5h4v1a3 3 0 0 1-3 3',
  table: 'M4 5h16v14H4zM4 10h16M4 14.5h16M12 10v9',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
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

export function Choice({ label, options, ...rest }: { label: string; options: [string, string][] } & JSX.IntrinsicElements['select']) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} {...rest}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  )
}

interface CheckProps {
  label: string
  hint?: string
  checked: boolean
  onChange: (event: TargetedEvent<HTMLInputElement>) => void
}

export function Check({ label, hint, checked, onChange }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={onChange} />
      <span>
        {label}
        {hint && <small>{hint}</small>}
      </span>
    </label>
  )
}

/** Something to take along that is shown this once. */
export function Copy({ label, text }: { label: string; text: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <div class="copy">
      <input class="grow" readOnly value={text} aria-label={label} onFocus={(event) => event.currentTarget.select()} />
      <button type="button" onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  )
}

export function Section({ title, hint, children }: { title: string; hint?: ComponentChildren; children: ComponentChildren }) {
  const id = useId()
  return (
    <section class="section" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {hint && <p class="hint">{hint}</p>}
      </header>
      {children}
    </section>
  )
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <section class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </section>
  )
}

/** Rows under heads, to be scrolled where the screen is narrow. */
export function Table({ heads, children }: { heads: string[]; children: ComponentChildren }) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={heads.join(', ')}>
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head}>{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

/** Where the server says how far something is, until it is over. */
export async function following<T extends { id: string; state: string }>(
  first: T | undefined,
  look: (id: string) => Promise<T | undefined>,
  show: (now: T) => void,
): Promise<T | undefined> {
  let now = first
  while (now) {
    show(now)
    if (now.state === 'succeeded' || now.state === 'failed') break
    await new Promise((done) => setTimeout(done, 400))
    now = await look(now.id)
  }
  return now
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`
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
    if (toast.value?.bad) toast.value = null
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
        {/* What is outside of a dialog cannot be read as long as it is open. */}
        {toast.value?.bad && (
          <p class="notice bad" role="alert">
            {toast.value.text}
          </p>
        )}
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

/** Somebody's initials; `plain` where the name stands beside them. */
export function Avatar({ id, name, plain = false }: { id: string; name: string; plain?: boolean }) {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word[0] ?? '')
    .join('')
    .toUpperCase()
  return (
    <span class="avatar" style={{ background: colour(id) }} title={name} {...(plain ? { 'aria-hidden': true } : { 'aria-label': name, role: 'img' })}>
      {initials}
    </span>
  )
}
