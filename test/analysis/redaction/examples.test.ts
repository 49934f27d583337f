import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redactionClasses } from '../../../src/analysis/redaction/classes.ts'
import { type Example, precision, readExamples, recall, score } from './examples.ts'

const sets = [
  { name: 'tuning.txt', atLeast: 0.98, listed: true },
  { name: 'held-out.txt', atLeast: 0.95, listed: false },
]

for (const { name, atLeast, listed } of sets)
  test(`of the examples in ${name}, at least ${atLeast * 100} % is found, and as much of what is found is right`, (t) => {
    const { byClass, faults } = score(readExamples(name))
    for (const one of redactionClasses) {
      const [found, right] = [recall(byClass[one]), precision(byClass[one])]
      const figures = `recall ${found.toFixed(3)}, precision ${right.toFixed(3)}`
      t.diagnostic(`${one}: ${figures} (${JSON.stringify(byClass[one])})`)
      assert.ok(found >= atLeast && right >= atLeast, `${one}: ${figures}`)
    }
    if (listed) for (const fault of faults) t.diagnostic(`fault: ${fault}`)
  })

test('there are 200 examples with something to redact, 200 without, and a third is held out', () => {
  const hasMarks = ({ utterances }: Example) => utterances.some(({ marked }) => marked.length > 0)
  const [tuning = [], heldOut = []] = sets.map(({ name }) => readExamples(name))
  const all = [...tuning, ...heldOut]
  const positive = all.filter(hasMarks).length
  assert.ok(positive >= 200 && all.length - positive >= 200, `${positive} of ${all.length}`)
  assert.ok(heldOut.length * 3 >= all.length)
})
