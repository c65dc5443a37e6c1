/** The page: which view is shown where. */

import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { follow, go, place, type Place } from './router'
import { me, start, toast } from './state'
import { Account } from './views/Account'
import { Admin } from './views/Admin'
import { DocumentView } from './views/Document'
import { ConfirmAddress, Forgot, Reset, SignIn, SignUp } from './views/Door'
import { Home } from './views/Home'
import { AccessRequest, Join } from './views/Join'
import { OrgView } from './views/Org'
import { Shared } from './views/Shared'
import { Shell } from './views/Shell'

function View() {
  const { name, id, tab } = place.value
  switch (name) {
    case 'document':
      return <DocumentView key={id} id={id ?? ''} tab={tab} />
    case 'org':
      return <OrgView key={id} id={id ?? ''} />
    case 'account':
      return <Account />
    case 'admin':
      return <Admin />
    case 'invitations':
      return <Join />
    case 'access-requests':
      return <AccessRequest />
    case 'lost':
      return <p class="empty">There is no such page.</p>
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
    } else if (arriving) go(nextPath(), true)
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
  const shown = toast.value
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown && <div class={shown.bad ? 'toast bad' : 'toast'}>{shown.text}</div>}
    </div>
  )
}

document.addEventListener('click', follow)
const root = document.getElementById('app') as HTMLElement
start()
  .catch((error: unknown) => {
    root.textContent = `Doxie cannot be reached: ${error instanceof Error ? error.message : String(error)}`
    throw error
  })
  .then(() =>
    render(
      <>
        <Page />
        <Toast />
      </>,
      root,
    ),
  )
