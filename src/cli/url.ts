import { InvalidArgumentError } from 'commander'

/** The URL of a gateway as an option: without a slash at its end. */
export function parseUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text.replace(/\/+$/, '')
  throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:8000.')
}
