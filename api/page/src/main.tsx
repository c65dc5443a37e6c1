/** The page: which view is shown where. */

import { effect } from '@preact/signals'
import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { Asking } from './asking'
import { hasten } from './opening'
import { Empty } from './parts'
import { Proving } from './proving'
import { follow, go, place, type Place } from './router'
import { me, say, start, toast } from './state'
import { Account } from './views/Account'
import { Admin } from './views/Admin'
import { DocumentView } from './views/Document'
import { ConfirmAddress, Door, Forgot, problemInAddress, Reset, SignIn, SignUp } from './views/Door'
import { Home } from './views/Home'
import { ImportView } from './views/Import'
import { AccessRequest, Join } from './views/Join'
import { OrgView } from './views/Org'
import { Shared } from './views/Shared'
import { Sheet, Shell } from './views/Shell'
import { Trash } from './views/Trash'

/** What is wanted now comes first. */
const FILES_AFTER_MS = 5000

function View() {
  const { name, id, tab } = place.value
  switch (name) {
    case 'document':
      return <DocumentView key={id} id={id ?? ''} tab={tab} />
    case 'org':
      return <OrgView key={id} id={id ?? ''} tab={tab} />
    case 'account':
      return <Account />
    case 'admin':
      return <Admin />
    case 'trash':
      return <Trash />
    case 'import':
      return <ImportView />
    case 'invitations':
      return <Join />
    case 'access-requests':
      return <AccessRequest />
    case 'lost':
      return (
        <Sheet title="Not found">
          <Empty icon="search" title="There is nothing here">
            <a href="/">Back to the documents</a>
          </Empty>
        </Sheet>
      )
    default:
      return <Home />
  }
}

/** What is shown to everybody, signed in or not. */
function open(name: Place['name']) {
  switch (name) {
    case 'sign-in':
      return <SignIn />
    case 'sign-up':
      return <SignUp />
    case 'forgot':
      return <Forgot />
    case 'reset-password':
      return <Reset />
    case 'verify-email':
      return <ConfirmAddress path="/auth/verify-email" />
    case 'change-email':
      return <ConfirmAddress path="/auth/email/confirm" />
    case 'shared':
      return <Shared />
    default:
      return null
  }
}

function Page() {
  const { name } = place.value
  const known = me.value
  const shown = open(name)
  const leaving = known === null && shown === null
  const arriving = known && (name === 'sign-in' || name === 'sign-up')
  useEffect(() => {
    if (leaving) {
      const next = location.pathname + location.search + location.hash
      go(next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`, true)
    } else if (arriving) {
      const problem = problemInAddress()
      if (problem) say(problem, true)
      go(problem ? '/account' : nextPath(), true)
    }
  }, [leaving, arriving])
  if (known === undefined || leaving || arriving) return <div class="loading" role="status" aria-label="Loading" />
  if (shown) return shown
  return (
    <Shell>
      <View />
    </Shell>
  )
}

/** Where somebody wanted to go before they had to sign in: a place of this page, nowhere else. */
function nextPath(): string {
  const next = new URLSearchParams(location.search).get('next') ?? '/'
  const wanted = new URL(next, location.origin)
  return wanted.origin === location.origin ? wanted.pathname + wanted.search + wanted.hash : '/'
}

function Toast() {
  const shown = toast.value?.bad && document.querySelector('dialog[open]') ? null : toast.value
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown && (
        <div class={shown.bad ? 'toast bad' : 'toast'}>
          {shown.text}
          {shown.next && (
            <button
              type="button"
              onClick={() => {
                toast.value = null
                shown.next?.run()
              }}
            >
              {shown.next.label}
            </button>
          )}
        </div>
      )}
    </div>
  )
}

/** Nothing can be shown before the server has said who is there. */
function Unreached({ error }: { error: unknown }) {
  return (
    <Door title="Doxie cannot be reached">
      <p role="alert">{error instanceof Error ? error.message : String(error)}</p>
      <button type="button" class="primary" onClick={() => location.reload()}>
        Try again
      </button>
    </Door>
  )
}

/** Keeps the files of the page, so that it opens without a network. Where it cannot be had now, another time will do. */
function keepFiles(): void {
  if (me.value && 'serviceWorker' in navigator) navigator.serviceWorker.register('/sw.js').catch(() => undefined)
}

if (place.value.name === 'document' && place.value.id) hasten(place.value.id)
document.addEventListener('click', follow)
setTimeout(() => effect(keepFiles), FILES_AFTER_MS)
const root = document.getElementById('app') as HTMLElement
start().then(
  () =>
    render(
      <>
        <Page />
        <Asking />
        <Proving />
        <Toast />
      </>,
      root,
    ),
  (error: unknown) => render(<Unreached error={error} />, root),
)
