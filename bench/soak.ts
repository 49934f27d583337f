// `npm run bench:soak`: memory over ten minutes at half of the peak; `npm run bench:soak -- 3` over three. Its
// section joins the others in results/latest.md.
import { runBench } from './run.ts'
import { measureSoak } from './sections/soak.ts'

const defaultMinutes = 10

const minutes = Number(process.argv[2] ?? defaultMinutes)
if (minutes > 0)
  await runBench({
    full: minutes >= defaultMinutes,
    measures: [['soak', (bench) => measureSoak(bench, minutes)]],
  })
else {
  console.error('The argument is a number of minutes, such as 3.')
  process.exitCode = 2
}
