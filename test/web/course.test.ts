// The course of a mood in words.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { courseInWords, moodWord } from '../../web/src/call/course.ts'

const courseOf = (...scores: readonly number[]) =>
  scores.map((score, index) => ({ start: 30 * index, end: 30 * (index + 1), score }))

suite('the course of a mood', () => {
  test('tells how it began and ended, when it was worst and when best', () => {
    assert.equal(
      courseInWords(courseOf(0.2, -0.7, 0.01, -0.3)),
      'good at first, bad at the end; worst at 0:30, best at 0:00',
    )
    assert.equal(
      courseInWords(courseOf(0, 0.4, -0.4, 0.02)),
      'neutral at first and at the end; worst at 1:00, best at 0:30',
    )
  })

  test('that never changes is told in two words', () => {
    assert.equal(courseInWords(courseOf(0.2, 0.9)), 'good throughout')
    assert.equal(courseInWords(courseOf(0, 0.05)), 'neutral throughout')
  })

  test('takes next to nothing for neutral', () => {
    assert.deepEqual([0.051, 0.05, 0, -0.05, -0.051].map(moodWord), [
      'good',
      'neutral',
      'neutral',
      'neutral',
      'bad',
    ])
  })
})
