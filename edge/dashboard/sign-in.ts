/** The sign-in form, and who is signed in. */
import { button, byId, el, tag } from './dom.ts'
import type { Identity, Session, SessionHooks } from './session.ts'

/** What a session tells the page; `use` names the session, which is made with these hooks. */
export function createSignIn(): SessionHooks & { use(session: Session): void } {
  const dialog = byId<HTMLDialogElement>('sign-in')
  const form = byId<HTMLFormElement>('sign-in-form')
  const trouble = byId('sign-in-trouble')
  const submit = form.querySelector('button')!
  let session: Session | null = null

  function say(sentence: string): void {
    trouble.hidden = sentence === ''
    trouble.textContent = sentence
  }
  // There is nothing behind it to go back to.
  dialog.addEventListener('cancel', (event) => event.preventDefault())
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const fields = new FormData(form)
    submit.disabled = true
    say('')
    session
      ?.signIn(String(fields.get('username')), String(fields.get('password')))
      .catch((error: Error) =>
        say(error instanceof TypeError ? 'The edge can not be reached at the moment.' : error.message),
      )
      .finally(() => {
        submit.disabled = false
      })
  })

  return {
    use(made) {
      session = made
    },
    onNeeded(sentence) {
      say(sentence)
      if (!dialog.open) dialog.showModal()
    },
    onSignedIn(identity) {
      form.reset()
      dialog.close()
      showIdentity(identity, () => {
        // A new page: nothing of what was shown stays in this one.
        void session?.signOut().finally(() => location.reload())
      })
    },
  }
}

function showIdentity({ username, role }: Identity, signOut: () => void): void {
  byId('account').replaceChildren(
    el('span', { class: 'who' }, el('span', { class: 'spoken' }, 'Signed in as '), username, ' ', tag(role, 'soft')),
    button('Sign out', signOut),
  )
}
