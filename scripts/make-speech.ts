// Makes assets/speech: telephone conversations of which every word and its time is known, as raw G.711
// µ-law (8 kHz, mono), and speech.json, which says who speaks what in which packets. Needs espeak-ng and
// sox; the same versions of both give the same bytes. Run: npm run make-speech
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Speaker = 'customer' | 'agent'
type Turn = { speaker: Speaker; text: string; start: number; end: number }
type Conversation = {
  readonly name: string
  /** espeak-ng voices, and their speed in words a minute. */
  readonly voices: Readonly<Record<Speaker, readonly [voice: string, speed: number]>>
  /** The agent speaks first, then they take turns. */
  readonly lines: readonly string[]
}

const packetBytes = 160
const silence = 0xff
const packetsBefore = 10
const packetsBetween = 16
const folder = join(import.meta.dirname, '../assets/speech')

const conversations: readonly Conversation[] = [
  {
    name: 'billing-dispute',
    voices: { agent: ['en-gb+f2', 170], customer: ['en-us+m3', 175] },
    lines: [
      'Thank you for calling Northwind Energy. How can I help you?',
      'I have been charged twice for my March bill, and this is the third time I call. I am really frustrated.',
      'I am sorry about that. May I have your account number?',
      'It is four seven one, double two, nine. The wrong amount is eighty six pounds.',
      'I can see both payments here. The second one was taken by mistake.',
      'It is unacceptable that nobody answered my letters.',
      'I have ordered a refund. You will have the money within three working days.',
    ],
  },
  {
    name: 'late-delivery',
    voices: { agent: ['en-us+f3', 172], customer: ['en-gb-scotland+m2', 170] },
    lines: [
      'Hello, this is Parcel Point customer service. What can I do for you?',
      'My parcel was promised for Monday, and today is Friday. It is still not here, and I am very disappointed.',
      'Could you give me the tracking number, please?',
      'It is P as in Peter, eight zero five, three one four.',
      'The parcel is delayed at our depot in Leeds. It was sorted into the wrong van.',
      'That is terrible. It was a birthday present for my daughter.',
      'The driver will bring it tomorrow before noon, and we will return the delivery fee.',
    ],
  },
  {
    name: 'happy-upgrade',
    voices: { agent: ['en-gb-x-rp+m7', 170], customer: ['en-us+f5', 180] },
    lines: [
      'Welcome to Bluebird Mobile. My name is Adam. How may I help?',
      'I would like to move to the bigger plan. I love the service, and I use more data now.',
      'That is easily done. The large plan has sixty gigabytes, for five pounds more a month.',
      'Great, that is exactly what I need. Can I keep my number?',
      'Yes, your number stays the same, and the change is free.',
      'Wonderful. You have been really helpful.',
      'The new plan starts at midnight, and a confirmation is on its way to your phone.',
    ],
  },
  {
    name: 'password-reset',
    voices: { agent: ['en-us+f2', 170], customer: ['en-gb-x-gbcwmd+m4', 165] },
    lines: [
      'You have reached the online banking help desk. What is your question?',
      'I need to reset my password. The page says that my account is locked.',
      'For your security, what is the postcode of your address?',
      'It is B fifteen, two T T.',
      'Thank you. I have sent a code of six digits to your phone. Enter it, then choose a new password.',
      'One moment. Yes, I am logged in again.',
      'Your account is open now, and the old password no longer works.',
    ],
  },
  {
    name: 'cancellation',
    voices: { agent: ['en-gb+f4', 172], customer: ['en-gb-x-rp+m1', 172] },
    lines: [
      'Good afternoon, Harbour Fitness. How can I help you today?',
      'I want to cancel my membership at the end of the month. I love the trainers, but the price is too expensive for me.',
      'I am sorry to hear that. Would a smaller plan at half the price help?',
      'That is a good offer, but the evening classes were cancelled too.',
      'I understand. I will close your membership on the thirtieth.',
      'It is a pity. The swimming pool was wonderful.',
      'There is no fee for leaving, and you can come back at any time within a year.',
    ],
  },
  {
    name: 'appointment',
    voices: { agent: ['en-us+m1', 172], customer: ['en-gb+f5', 170] },
    lines: [
      'Riverside Dental Practice, this is the automatic assistant. How can I help you?',
      'I would like to move my appointment from Tuesday to a day later in the week.',
      'I have Thursday at half past nine, or Friday at four in the afternoon.',
      'Friday at four would be perfect.',
      'And is it still the yearly check, with Doctor Evans?',
      'Yes, with Doctor Evans. He is excellent.',
      'Your appointment is now on Friday at four. You will get a reminder the day before.',
    ],
  },
]

/** Speaks a text as a telephone would carry it; silence at both ends is cut off. */
function speak([voice, speed]: readonly [string, number], text: string): Buffer {
  const cutStart = 'silence 1 0.02 0.3% reverse'
  const wave = execFileSync('espeak-ng', ['-v', voice, '-s', String(speed), '--stdout', text])
  const format = '-D -t wav --ignore-length - -t ul -r 8000 -c 1 -'
  const effects = `${cutStart} ${cutStart} rate 8000 sinc 300-3400 gain -n -6`
  return execFileSync('sox', `${format} ${effects}`.split(' '), { input: wave })
}

/** Plays the turns one after the other, each starting and ending with a packet. */
function record({ voices, lines }: Conversation): { audio: Buffer; turns: Turn[] } {
  const parts: Buffer[] = [Buffer.alloc(packetsBefore * packetBytes, silence)]
  const turns: Turn[] = []
  let packets = packetsBefore
  for (const [index, text] of lines.entries()) {
    const speaker = index % 2 === 0 ? 'agent' : 'customer'
    const speech = speak(voices[speaker], text)
    const length = Math.ceil(speech.length / packetBytes)
    const padding = (length + packetsBetween) * packetBytes - speech.length
    parts.push(speech, Buffer.alloc(padding, silence))
    turns.push({ speaker, text, start: packets, end: packets + length })
    packets += length + packetsBetween
  }
  return { audio: Buffer.concat(parts), turns }
}

mkdirSync(folder, { recursive: true })
const index = conversations.map((conversation) => {
  const { audio, turns } = record(conversation)
  writeFileSync(join(folder, `${conversation.name}.ulaw`), audio)
  console.log(`${conversation.name}: ${(audio.length / 8000).toFixed(1)} s, ${audio.length} bytes`)
  return { name: conversation.name, turns }
})
writeFileSync(join(folder, 'speech.json'), `${JSON.stringify(index, null, 2)}\n`)
