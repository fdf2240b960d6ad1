/** One cause, one incident: what belongs together, who is told when, and that whoever was told hears that it is over. */
import { describe, expect, it } from 'vitest'
import { causesOf } from '../../../aggregator/alerting/causes.ts'
import { type OpenIncidents, type StepInput, step } from '../../../aggregator/alerting/incidents.ts'
import type { Cause, Symptom } from '../../../aggregator/alerting/model.ts'
import { restore } from '../../../aggregator/alerting/restore.ts'
import { leadingSomewhere } from '../../../aggregator/alerting/routing.ts'
import { activeAt, type Silence, silencesOf } from '../../../aggregator/alerting/silence-model.ts'
import { linesOf } from '../../../aggregator/alerting/texts.ts'
import { type AlertingSettings, alertingPart, readAlerting } from '../../../settings/alerting.ts'
import { cause, finding, member, symptom, symptomsIn, T0 } from './samples.ts'

describe('what is one incident', () => {
  const shapes = (causes: readonly Cause[]) => causes.map(({ key, children }) => [key, children.length])

  it('a node that is down, with what is wrong with it', () => {
    const members = [member('w1', 'a', 'NodeDown'), member('w2', 'a'), member('w3', 'b')]
    const findings = ['w1', 'w2', 'w3'].map((node) => finding(node, 'DiskAlmostFull'))
    const causes = causesOf(symptomsIn({ members, findings }), members)
    expect(shapes(causes)).toEqual([
      ['node/w1', 1],
      ['finding/DiskAlmostFull', 2],
    ])
    expect(causes[0]).toMatchObject({ reason: 'NodeDown', node: 'w1', severity: 'error' })
  })

  it('a zone of several that is lost, with its nodes; one zone alone is none', () => {
    const down = ['w1', 'w2', 'w3'].map((node) => member(node, 'a', 'NodeDown'))
    const members = [...down, member('w4', 'a'), member('w5', 'b')]
    const findings = [finding('w1', 'DiskAlmostFull')]
    const [lost, ...others] = causesOf(symptomsIn({ members, findings }), members)
    expect([lost?.key, lost?.children.length, others.length]).toEqual(['zone/a', 4, 0])
    expect(causesOf(symptomsIn({ members: down }), down)).toHaveLength(3)
  })

  it('a frozen mesh, with whoever is silent, and its sides named', () => {
    const members = [member('w1', 'a', 'NodeDown'), member('w2', 'a', 'suspected'), member('w3', 'b')]
    const mesh = { frozen: 'too many', blind: null, hasQuorum: true }
    const findings = [finding('w2', 'DiskAlmostFull'), finding('w3', 'DiskAlmostFull')]
    const causes = causesOf(symptomsIn({ members, mesh, findings }), members)
    expect(shapes(causes)).toEqual([
      ['frozen', 2],
      ['finding/DiskAlmostFull', 1],
    ])
    expect(causes[0]?.root?.said).toMatchObject({ values: { sides: 'a: 2/2, b: 0/1' } })
  })
})

const ROUTES = readAlerting(
  alertingPart.parse({
    routes: [
      { match: { severities: ['error'] }, sinks: ['pager'], repeat: '1h' },
      { match: { selector: { pools: ['web'] } }, sinks: ['web-team', 'pager'], language: 'zh' },
    ],
  }),
).routes

/** Steps of given times with given causes; what was sent in each. */
class Course {
  open: OpenIncidents = new Map()
  silences: readonly Silence[] = []
  routes = ROUTES
  isSettled = true
  records = 0

  at(seconds: number, ...causes: readonly Cause[]): readonly string[] {
    const now = T0 + seconds * 1_000
    const input: StepInput = {
      now,
      mesh: 'prod-a',
      causes,
      routes: this.routes,
      silences: activeAt(this.silences, now),
      isSettled: this.isSettled,
    }
    const { open, outgoing, announced, over } = step(this.open, input)
    this.open = open
    this.records += announced.length + over.length
    return outgoing.map(({ sink, notification: { state, why, language, incident } }) => {
      return `${sink} ${language} ${state} ${why} ${incident.children.map(({ at }) => at?.node).join('+')}`
    })
  }
}

const W1 = symptom('w1', 'DiskAlmostFull')
const W2 = symptom('w2', 'DiskAlmostFull')
const ERROR = symptom('w2', 'DiskAlmostFull', {
  severity: 'error',
  at: { node: 'w2', zone: 'a', roles: [], pool: 'gpu' },
})

describe('the life of an incident', () => {
  it('is told once what belongs to it has come, again when it grows, gets graver or lasts, and when it is over', () => {
    const course = new Course()
    expect(course.at(0, cause([W1]))).toEqual([])
    expect(course.at(15, cause([W1]))).toEqual(['web-team zh firing opened w1', 'pager zh firing opened w1'])
    expect(course.at(20, cause([W1, W2]))).toEqual([])
    expect(course.at(400, cause([W1, W2]))).toHaveLength(2)
    expect(course.at(410, cause([W1, ERROR], { severity: 'error' }))).toEqual(['pager en firing changed w1+w2'])
    expect(course.at(4_010, cause([W1, ERROR], { severity: 'error' }))).toEqual(['pager en firing repeated w1+w2'])
    expect(course.at(4_020)).toEqual(['web-team zh resolved over w1', 'pager en resolved over w1+w2'])
    expect(course.at(4_030)).toEqual([])
  })

  it('that was over before anybody was told is none', () => {
    const course = new Course()
    course.at(0, cause([W1]))
    expect([course.at(10), course.records]).toEqual([[], 0])
  })

  it('is over for all who were told, whatever routes and silences say by then', () => {
    const course = new Course()
    course.at(0, cause([W1]))
    course.at(15, cause([W1]))
    course.routes = []
    course.silences = [silence({ reasons: ['DiskAlmostFull'] })]
    expect(course.at(30, cause([W1]))).toEqual([])
    expect(course.at(40)).toHaveLength(2)
  })

  it('of which nobody is to be told is on record all the same', () => {
    const course = new Course()
    course.routes = []
    course.at(0, cause([W1]))
    expect([course.at(15, cause([W1])), course.at(20), course.records]).toEqual([[], [], 2])
  })

  it('says what it goes on as, when a zone swallows its nodes', () => {
    const members = ['w1', 'w2', 'w3', 'w4'].map((node, index) =>
      member(node, index < 3 ? 'a' : 'b', index < 3 ? 'NodeDown' : 'alive'),
    )
    const [one] = causesOf(symptomsIn({ members: members.slice(0, 1) }), members)
    const all = causesOf(symptomsIn({ members }), members)
    const input = { mesh: 'prod-a', routes: ROUTES, silences: [] }
    if (one === undefined) throw new Error('nothing is down')
    const opened = step(new Map(), { ...input, now: T0, causes: [one] })
    const told = step(opened.open, { ...input, now: T0 + 5_000, causes: [one] })
    const swallowed = step(told.open, { ...input, now: T0 + 6_000, causes: all })
    const over = swallowed.outgoing.filter(({ notification: { state } }) => state === 'resolved')
    expect(over.map(({ notification: { incident, partOf } }) => [incident.key, partOf?.key])).toEqual([
      ['node/w1', 'zone/a'],
      ['node/w1', 'zone/a'],
    ])
  })
})

describe('a route for some of the nodes of an incident', () => {
  const gpu = (node: string) => symptom(node, 'DiskAlmostFull', { at: { node, zone: 'a', roles: [], pool: 'gpu' } })
  const [G1, G2] = [gpu('g1'), gpu('g2')]
  const routes = (...given: NonNullable<AlertingSettings['routes']>) => readAlerting({ routes: given }).routes
  const WEB = { match: { selector: { pools: ['web'] } }, sinks: ['web-team'] }
  const GPU = { match: { selector: { pools: ['gpu'] } }, sinks: ['gpu-team'] }
  const begun = (given: Course['routes'], ...symptoms: readonly Symptom[]) => {
    const course = new Course()
    course.routes = given
    course.at(0, cause(symptoms))
    return { course, said: course.at(15, cause(symptoms)) }
  }

  it('leads to these nodes only; who is told of everything is told of all', () => {
    const { said } = begun(routes(WEB, GPU, { sinks: ['ops'] }), G1, G2, W1)
    expect(said).toEqual([
      'web-team en firing opened w1',
      'gpu-team en firing opened g1+g2',
      'ops en firing opened g1+g2+w1',
    ])
  })

  it('counts for nobody where it leads to a sink that there is not', () => {
    const { nowhere, routes: left } = leadingSomewhere(routes(WEB, GPU), ['web-team'])
    expect([nowhere, begun(left, G1, W1).said]).toEqual([['gpu-team'], ['web-team en firing opened w1']])
  })

  it('is of all of its nodes where several lead to one sink', () => {
    const both = [WEB, { ...GPU, sinks: ['web-team', 'gpu-team'] }]
    expect(begun(routes(...both), G1, W1).said).toEqual([
      'web-team en firing opened g1+w1',
      'gpu-team en firing opened g1',
    ])
  })

  it('says how many nodes there are elsewhere, and is as grave as its own', () => {
    const input = { now: T0, mesh: 'prod-a', routes: routes(WEB, GPU), silences: [] }
    const causes = [cause([{ ...G1, severity: 'error' }, W1], { severity: 'error' })]
    const { open } = step(new Map(), { ...input, causes })
    const { outgoing } = step(open, { ...input, now: T0 + 15_000, causes })
    expect(outgoing.map(({ notification: { elsewhere, incident } }) => [elsewhere, incident.severity])).toEqual([
      [1, 'alarm'],
      [1, 'error'],
    ])
    const [first] = outgoing
    expect(first && linesOf(first.notification, 10).at(-1)).toBe('and other nodes, of which others are told: 1')
  })

  it('asks how grave it is of its own nodes', () => {
    const grave = { match: { severities: ['error' as const], selector: { pools: ['web'] } }, sinks: ['web-pager'] }
    expect(begun(routes(grave), { ...G1, severity: 'error' }, W1).said).toEqual([])
    expect(begun(routes(grave), G1, { ...W1, severity: 'error' }).said).toEqual(['web-pager en firing opened w1'])
  })

  it('is over when its own are well, and begins again', () => {
    const { course } = begun(routes(WEB, GPU), G1, W1)
    expect(course.at(30, cause([W1]))).toEqual(['gpu-team en resolved over g1'])
    expect(course.at(40, cause([W1]))).toEqual([])
    expect(course.at(50, cause([G2, W1]))).toEqual(['gpu-team en firing opened g2'])
    expect(course.at(60)).toEqual(['web-team en resolved over w1', 'gpu-team en resolved over g2'])
  })

  it('is not over while its own are silenced, lead elsewhere by now, or were not heard of yet', () => {
    const { course } = begun(routes(WEB, GPU), G1, W1)
    course.silences = [silence({ selector: { pools: ['gpu'] } })]
    expect(course.at(30, cause([G1, W1]))).toEqual([])
    course.routes = routes(WEB)
    expect(course.at(40, cause([G1, W1]))).toEqual([])
    course.isSettled = false
    expect(course.at(50, cause([W1]))).toEqual([])
    course.isSettled = true
    expect(course.at(60, cause([W1]))).toEqual(['gpu-team en resolved over w1'])
  })

  it('shows the whole of a death that it leads to, and of a lost zone its own', () => {
    const down = ['w1', 'w2', 'w3'].map((node, index) => member(node, 'a', 'NodeDown', index === 0 ? 'gpu' : 'web'))
    const findings = [finding('w1', 'LinkSlow')]
    const members = [...down, member('w4', 'b')]
    const course = new Course()
    course.routes = routes(GPU, { match: { rules: ['built-in'] }, sinks: ['ops'] })
    const [zone] = causesOf(symptomsIn({ members, findings }), members)
    const [death] = causesOf(symptomsIn({ members: [member('w1', 'a', 'NodeDown', 'gpu')], findings }), [])
    if (zone === undefined || death === undefined) throw new Error('nothing is down')
    expect(course.at(0, zone)).toEqual(['gpu-team en firing opened w1+w1', 'ops en firing opened w1+w2+w3'])
    course.at(10)
    course.at(20, death)
    expect(course.at(25, death)).toEqual(['gpu-team en firing opened w1', 'ops en firing opened w1'])
  })
})

function silence(match: Silence['match'], more: Partial<Silence> = {}): Silence {
  return { id: 's1', match, author: 'ops', reason: 'planned', from: T0, until: T0 + 60_000, ...more }
}

describe('a silence', () => {
  it.each<[Silence['match']]>([
    [{ reasons: ['DiskAlmostFull'] }],
    [{ rules: ['findings'] }],
    [{ severities: ['alarm'] }],
    [{ selector: { nodes: ['w1'] } }],
    [{ selector: { pools: ['web'] }, reasons: ['DiskAlmostFull', 'Other'] }],
  ])('%j keeps the incident, and tells when its time is over', (match) => {
    const course = new Course()
    course.silences = [silence(match)]
    course.at(0, cause([W1]))
    expect(course.at(15, cause([W1]))).toEqual([])
    expect([...course.open.values()]).toMatchObject([{ announced: true, silencedBy: ['s1'] }])
    expect(course.at(60, cause([W1]))).toHaveLength(2)
  })

  it('holds back its part of an incident only, and what it does not fit not at all', () => {
    const course = new Course()
    course.silences = [silence({ selector: { nodes: ['w1'] } })]
    course.at(0, cause([W1, W2]))
    expect(course.at(15, cause([W1, W2]))).toEqual(['web-team zh firing opened w2', 'pager zh firing opened w2'])
    course.silences = [silence({ reasons: ['Other'] }), silence({ selector: { pools: ['gpu'] } })]
    expect(course.at(400, cause([W1, W2]))).toHaveLength(2)
  })

  it('of a dead node is one of what it brings', () => {
    const members = [member('w1', 'a', 'NodeDown')]
    const causes = causesOf(symptomsIn({ members, findings: [finding('w1', 'DiskAlmostFull')] }), members)
    const course = new Course()
    course.silences = [silence({ reasons: ['NodeDown'] })]
    course.at(0, ...causes)
    expect(course.at(5, ...causes)).toEqual([])
  })

  it('is what its events say', () => {
    const [one, two] = [silence({ rules: ['a'] }), silence({ rules: ['b'] }, { id: 's2' })]
    const event = (data: Record<string, unknown>) => ({ kind: 'silence' as const, data })
    const events = [
      event({ silence: one }),
      event({ silence: two }),
      event({ silence: one, ended: true }),
      event({ silence: 'x' }),
    ]
    expect(silencesOf(events)).toEqual([two])
    expect(activeAt([two], T0 + 60_000)).toEqual([])
  })
})

describe('whoever takes over', () => {
  const told = () => {
    const course = new Course()
    course.at(0, cause([W1]))
    course.at(15, cause([W1]))
    return [...course.open.values()]
  }

  it('knows what is open and who was told, and says what may not have been said', () => {
    const [incident] = told()
    const alert = { kind: 'alert' as const, at: T0 + 15_000, data: { incident, by: 'other' } }
    const soon = restore([alert], T0 + 60_000, 'self')
    expect([...soon.holding.values()]).toMatchObject([{ isFiring: true, symptom: { key: W1.key } }])
    const input = { now: T0 + 60_000, mesh: 'prod-a', causes: [cause([W1])], routes: ROUTES, silences: [] }
    expect(step(soon.open, input).outgoing.map(({ notification: { why } }) => why)).toEqual(['repeated', 'repeated'])
    // Its own is in its own queue; what is long ago has been said.
    for (const by of [restore([alert], T0 + 60_000, 'other'), restore([alert], T0 + 600_000, 'self')]) {
      expect(step(by.open, input).outgoing).toEqual([])
      expect(step(by.open, { ...input, causes: [] }).outgoing).toHaveLength(2)
    }
  })

  it('tells that it is over when the other was only about to', () => {
    const [incident] = told()
    const events = [
      { kind: 'alert' as const, at: T0, data: { incident, by: 'other' } },
      { kind: 'alert-over' as const, at: T0 + 30_000, data: { incident, by: 'other' } },
    ]
    expect(restore(events, T0 + 60_000, 'self')).toMatchObject({ open: new Map(), over: [{ id: incident?.id }] })
    expect(restore(events, T0 + 900_000, 'self').over).toEqual([])
    expect(restore([{ kind: 'alert', at: T0, data: { incident: 'nonsense' } }], T0, 'self').open.size).toBe(0)
  })
})

it('words about a sink that cannot be told do not go to that sink', () => {
  const undelivered = new Map([['pager', 'it hangs']])
  const [broken] = causesOf(symptomsIn({ undelivered }, { builtIn: { Undelivered: 'error' } }), [])
  const course = new Course()
  course.routes = readAlerting({ routes: [{ sinks: ['pager', 'ops'] }] }).routes
  expect(broken && course.at(0, broken)).toEqual(['ops en firing opened '])
})
