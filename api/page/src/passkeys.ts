/** Passkeys: the browser's part of the ceremony. */

/** A passkey is bound to a name: a browser has none for an address of numbers. */
export const passkeysWork = 'PublicKeyCredential' in window && !/^[\d.]+$|^\[/.test(location.hostname)

export interface Question {
  challenge_id: string
  options: unknown
}

export interface Answer {
  challenge_id: string
  credential: unknown
}

const TOLD: Record<string, string> = {
  NotAllowedError: 'The passkey was not used: it was cancelled, or took too long.',
  InvalidStateError: 'This device has a passkey for this account already.',
  SecurityError: 'Passkeys need Doxie to be opened by its name, over a secure connection.',
}

export function askPasskey({ challenge_id, options }: Question): Promise<Answer> {
  return ceremony(challenge_id, () => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON)
    return navigator.credentials.get({ publicKey })
  })
}

export function makePasskey({ challenge_id, options }: Question): Promise<Answer> {
  return ceremony(challenge_id, () => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON)
    return navigator.credentials.create({ publicKey })
  })
}

async function ceremony(challenge_id: string, work: () => Promise<Credential | null>): Promise<Answer> {
  try {
    const credential = await work()
    return { challenge_id, credential: (credential as PublicKeyCredential).toJSON() }
  } catch (error) {
    if (error instanceof DOMException) throw new Error(TOLD[error.name] ?? error.message)
    throw error
  }
}
