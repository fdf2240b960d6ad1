/** The facts by which a history's file is told from others: the number of an event means another event there. */

/** To whoever asks for events. */
export const STORE_NAME = 'store-name'
/** To other aggregators, which keep how far they gave it what they have. */
export const JOURNAL_NAME = 'copies/journal'
