// What a number is about, from the words before it: whoever asks for an order number gets an order number. The
// nearest word decides, in the same utterance or in those before, whoever said it.
import type { Conversation } from './conversation.ts'
import { isNumberWord } from './number-words.ts'
import type { Token } from './tokens.ts'

/** `other`: a number that is nobody's secret, such as that of an order. */
export type Topic = 'card' | 'cvv' | 'national_id' | 'phone' | 'email' | 'other'

/** Finds topics in one conversation. */
export type Topics = {
  /** The topics of the 25 words (numbers apart) before a token, nearest first, each once; `other` of the last 10. */
  readonly before: (token: Token) => readonly Topic[]
  /** Whether one of the 6 tokens after a token, in its utterance, ends a phrase about the topic. */
  readonly isAfter: (token: Token, topic: Topic) => boolean
}

const phrases: Readonly<Record<Topic, string>> = {
  card:
    'card number,card numbers,long number,long card number,credit card,debit card,visa,mastercard,amex,' +
    'american express,sixteen digits,sixteen digit,16 digits,16 digit,kartennummer,kreditkarte,' +
    'número de tarjeta,numéro de carte,kaartnummer',
  cvv:
    'security code,cvv,cvc,cvv2,cvc2,c v v,c v c,card verification,verification value,three digits,' +
    'three digit,3 digits,3 digit,digits on the front,digits on the back,code on the back,on the back,' +
    'back of the card,back of your card,signature strip,prüfnummer,prüfziffer',
  national_id:
    'social security,social,ssn,s s n,national insurance,nino,ni number,dni,nie,nif,bsn,burgerservicenummer,' +
    'citizen service,steuer id,steueridentifikationsnummer,steuernummer,tax id,tax identification,idnr,' +
    'sécurité sociale,sécu,pesel,codice fiscale,national number,rijksregisternummer,personnummer,' +
    'personal identity,identity code,cpr,cpr nummer,fødselsnummer,ahv,ahv nummer,pps,svnr,' +
    'sozialversicherungsnummer,national id,id number',
  phone:
    'phone,telephone,mobile,cell,cellphone,landline,callback,whatsapp,fax,dial,call me,call us,call him,' +
    'call her,call back,reach me,ring me,please ring,text me,text us,contact number,telefon,telefonnummer,' +
    'handynummer,rückrufnummer,mobilnummer,teléfono,móvil,téléphone,portable,telefoon,telefoonnummer,' +
    'mobiel,telefono,cellulare',
  email: 'email,emails,e mail,mail,email address,e-mail',
  other:
    'order,orders,invoice,reference,ref,ticket,tracking,parcel,package,flight,booking,policy,serial,model,' +
    'part,zip,postcode,post code,postal,extension,room,case,confirmation,expiry,expires,expiration,expire,' +
    'valid,date,born,birth,birthday,price,total,amount,cost,costs,balance,account,contract,sort code,routing,' +
    'pin,meter,membership,member,customer number,product,sku,barcode,isbn,imei,vin,prescription,version,' +
    'error,po,house,address,street,followers,rechnung,bestellung,bestellnummer,rechnungsnummer,postleitzahl,' +
    'pedido,factura,facture,commande,bestelling,ordine,january,february,april,june,july,august,september,' +
    'october,november,december',
}

/** "My number" is a phone's, "the order number" that of an order, "the number" could be any. */
const owners = new Set(['my', 'your', 'best', 'his', 'her', 'our', 'their', 'new', 'old', 'other'])
const articles = new Set([
  'the',
  'this',
  'that',
  'a',
  'what',
  'which',
  'wrong',
  'right',
  'same',
  'long',
])

const phrasesByLastWord = new Map<string, { words: readonly string[]; topic: Topic }[]>()
for (const [topic, list] of Object.entries(phrases))
  for (const phrase of list.split(',')) {
    const words = phrase.split(' ')
    const key = words.at(-1) ?? ''
    const all = phrasesByLastWord.get(key) ?? []
    all.push({ words, topic: topic as Topic })
    phrasesByLastWord.set(
      key,
      all.sort((one, other) => other.words.length - one.words.length),
    )
  }

/** Prepares the topics of a conversation. Linear in its length; so are all questions together. */
export function readTopics({ tokens }: Conversation): Topics {
  const topics = tokens.map(topicsOfUtterance)
  return {
    before: (token) => {
      const found = new Set<Topic>()
      let { utterance, index } = token
      for (let words = 0, steps = 0; words < 25 && steps < 200; steps += 1) {
        index -= 1
        if (index < 0) {
          utterance -= 1
          if (utterance < 0) break
          index = tokens[utterance]?.length ?? 0
          continue
        }
        const { kind, text = '' } = tokens[utterance]?.[index] ?? {}
        if (kind === 'word' && !isNumberWord(text)) words += 1
        const topic = topics[utterance]?.get(index)
        if (topic !== undefined && (topic !== 'other' || words <= 10)) found.add(topic)
      }
      return [...found]
    },
    isAfter: ({ utterance, index }, topic) => {
      for (let next = index + 1; next <= index + 6; next += 1)
        if (topics[utterance]?.get(next) === topic) return true
      return false
    },
  }
}

/** The topic of each token that ends a phrase about one. */
function topicsOfUtterance(tokens: readonly Token[]): ReadonlyMap<number, Topic> {
  const found = new Map<number, Topic>()
  const words = tokens.filter(({ kind }) => kind === 'word' || kind === 'digits')
  for (const [position, { kind, text, index }] of words.entries()) {
    if (kind === 'digits') continue
    const before = (back: number) => words[position - back]?.text.replace(/'s$/, '')
    const phrase = phrasesByLastWord
      .get(text.replace(/'s$/, ''))
      ?.find(({ words: all }) =>
        all.every((word, at) => at === all.length - 1 || before(all.length - 1 - at) === word),
      )
    const topic =
      phrase?.topic ?? (text === 'number' ? topicOfNumber(found, words[position - 1]) : undefined)
    if (topic !== undefined) found.set(index, topic)
  }
  return found
}

function topicOfNumber(
  found: ReadonlyMap<number, Topic>,
  before: Token | undefined,
): Topic | undefined {
  if (before?.kind !== 'word') return undefined
  const topic = found.get(before.index)
  if (topic !== undefined) return topic
  if (owners.has(before.text)) return 'phone'
  return articles.has(before.text) ? undefined : 'other'
}

/** The topic of a number, where those that it may be mentioned with do not count. */
export function nearest(topics: readonly Topic[], ignored: readonly Topic[]): Topic | undefined {
  return topics.find((topic) => !ignored.includes(topic))
}
