/** The clock of tests is the one that authors of plugins test with. */
export { momentAt, VirtualClock } from '../../detectors/testing/virtual-clock.ts'
