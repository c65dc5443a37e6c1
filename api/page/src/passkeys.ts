/** Passkeys: the browser's part of the ceremony. */

export interface Question {
  challenge_id: string
  options: unknown
}

export interface Answer {
  challenge_id: string
  credential: unknown
}

export async function askPasskey({ challenge_id, options }: Question): Promise<Answer> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON)
  const credential = await navigator.credentials.get({ publicKey })
  return { challenge_id, credential: (credential as PublicKeyCredential).toJSON() }
}

export async function makePasskey({ challenge_id, options }: Question): Promise<Answer> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON)
  const credential = await navigator.credentials.create({ publicKey })
  return { challenge_id, credential: (credential as PublicKeyCredential).toJSON() }
}
