/** What the page shows of Kubernetes, and of the part that its aggregator plays. */
import type { Page } from 'playwright-core'
import { beforeEach, expect, it } from 'vitest'
import type { MarkView } from '../../aggregator/model.ts'
import { needsChromium } from '../chromium.ts'
import { describeReal } from '../real-part.ts'
import { event } from './event.ts'
import { pageOfSample } from './sample-page.ts'
import { VERDICT_ID } from './sample-port.ts'
import type { ServedSample } from './serve-sample.ts'

describeReal('the page about Kubernetes', needsChromium(), () => {
  const view = pageOfSample()
  const { open, seen, textOf, eventually } = view
  let page: Page
  let served: ServedSample
  let complaints: readonly string[]
  beforeEach(() => {
    ;({ page, served, complaints } = view)
  })

  it('shows what Kubernetes shows of a verdict or a finding, or would, since when, and why not', async () => {
    const since = '2026-03-14T09:26:56.000Z'
    const mark = {
      mode: 'ready',
      effects: ['Ready=False (StarlingNodeDown)', 'its pods not Ready'],
      withheld: '',
      since,
    }
    const [verdict] = served.sample.snapshot().verdicts
    const marked = (over: Partial<MarkView>) =>
      served.sample.change({ verdicts: [{ ...verdict, mark: { ...mark, state: 'marked', ...over } }] as never })
    const ofVerdict = () => seen(page.getByTestId(`verdict-${VERDICT_ID}`).getByTestId('mark'))
    await open()
    expect(await page.getByTestId('mark').count()).toBe(0)
    marked({})
    await eventually(ofVerdict).toBe(
      '● marked Ready=False (StarlingNodeDown), its pods not Ready · mode ready · since 14 Mar, 15:11:56',
    )
    marked({ withheld: 'a quarter has the taint' })
    await eventually(ofVerdict).toContain('not all of it: a quarter has the taint')
    marked({ state: 'withheld', withheld: 'leaving: it is cordoned' })
    await eventually(ofVerdict).toBe('▲ not marked leaving: it is cordoned · mode ready · since 14 Mar, 15:11:56')
    marked({ state: 'undone', undoneAt: '2026-03-14T09:28:06.000Z' })
    await eventually(ofVerdict).toMatch(/^– mark undone .* since 14 Mar, 15:11:56 to 14 Mar, 15:13:06$/)
    served.sample.changeMember('node-1', { mark: { ...mark, state: 'would-mark', mode: 'observe' } as MarkView })
    const ofNode = page.getByTestId('member-node-1').getByTestId('mark')
    await eventually(() => seen(ofNode)).toMatch(/^○ would mark Ready=False.* · mode observe · since/)
    expect(complaints).toEqual([])
  })

  it('shows a verdict that was taken over, whose votes are not known', async () => {
    const [verdict] = served.sample.snapshot().verdicts
    served.sample.change({ verdicts: [{ ...verdict, votes: [], certificate: '' }] as never })
    await open()
    expect(await textOf(`verdict-${VERDICT_ID}`)).toMatch(/taken over from another.*by which votes is not known here/s)
    expect(await page.getByRole('link', { name: 'certificate' }).count()).toBe(0)
  })

  it('says who leads, what is written, and that nothing can be', async () => {
    await open()
    expect(await page.getByTestId('role').count()).toBe(0)
    const marking = { mode: 'observe', pools: { gpu: 'ready', web: 'observe' }, stalled: null } as const
    served.sample.change({ marking })
    await eventually(() => textOf('role')).toContain('leads')
    expect(await textOf('figures')).toMatch(/marking\s+observe, gpu ready\s+writes\s+possible/)
    served.sample.change({ marking: { ...marking, stalled: 'the API server does not answer' } })
    await eventually(() => textOf('stalled')).toContain(
      'Nothing can be written to Kubernetes at present: the API server',
    )
    expect(await textOf('figures')).toMatch(/writes\s+stalled/)
  })

  it('of one that stands by says so, whom to ask, and what keeps it from taking over', async () => {
    await open()
    served.sample.becomes({ role: 'stands-by', leader: 'node-2', why: 'the Lease is gone', unfit: 'it is cut off' })
    await eventually(() => textOf('standing-by')).toMatch(
      /node-1 stands by since .*: the Lease is gone\s+node-2 leads the mesh: its page shows it/,
    )
    expect(await textOf('unfit')).toBe('It could not take over at present: it is cut off')
    expect(await textOf('role')).toContain('stands by')
    expect(await page.getByTestId('members').count()).toBe(0)
    served.sample.becomes()
    await page.getByTestId('members').waitFor()
    expect(await page.getByTestId('standing-by').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('begins anew when another aggregator answers, whose history has numbers of its own', async () => {
    await open()
    const { sample } = served
    const ofOther = [{ ...event('other', { summary: 'the history of another' }), seq: 1 }]
    sample.events = ({ after = 0 }) => ofOther.filter(({ seq }) => seq > after)
    sample.change({ office: { ...sample.snapshot().office, node: 'aggregator-2' } })
    await eventually(view.eventRows).toEqual([expect.stringContaining('the history of another')])
    expect(complaints).toEqual([])
  })
})
